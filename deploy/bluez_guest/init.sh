#!/bin/busybox sh
# The guest's first program: the modules, the host's files below a layer in memory, the command, the end.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do insmod "/modules/$module.ko" || echo "no module $module"; done < /modules/order
ip link set lo up

options=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o "ro,cache=loose,$options" host /host
mount -t tmpfs -o size=1g top /top
mkdir /top/upper /top/work
mount -t overlay -o lowerdir=/host,upperdir=/top/upper,workdir=/top/work root /new
for kernels in dev proc sys; do mount --rbind "/$kernels" "/new/$kernels"; done
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts devpts /new/dev/pts
mount -t tmpfs shm /new/dev/shm
mount -t tmpfs run /new/run
mkdir /new/run/guest /new/run/lock
mount -t 9p -o "rw,$options" out /new/run/guest

chroot /new /bin/sh /run/guest/command.sh < /dev/null > /dev/hvc0 2>&1
echo $? > /new/run/guest/exit_code
sync
poweroff -f
