"""Our own processes as people see them: whether readings arrive and silence is watched."""
