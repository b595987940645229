"""What support and nurses read of technical alarms is in their language, from the judgement to the page."""

from datetime import timedelta

import pytest

from cloud.db.connect import open_connection
from cloud.devices.statuses import GatewayStatus, record_status
from cloud.fleet.judging import judge_fleet
from tests.cloud.made import GATEWAY, NOW, Ward
from tests.cloud.planted_fleet import Fleet
from tests.fix_console import Console


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The gateway&#39;s clock is some 2 h ahead of ours, and nothing keeps it. Check that it reaches"),
        ("ru", "Часы шлюза спешат (примерно 2 ч), и они не синхронизируются. Проверьте, доступен ли ему сервер"),
        ("zh", "网关时钟比我方快约 2 小时，且未同步。请检查其能否连接时间服务器。"),
    ],
)
def test_an_alarm_is_said_in_the_readers_language(console: Console, ward: Ward, language: str, sentence: str) -> None:
    status = GatewayStatus(
        gateway_id=GATEWAY,
        state="online",
        received_at=NOW - timedelta(seconds=5),
        at=NOW + timedelta(hours=2),
        outbox_depth=0,
        clock_synchronised=False,
    )
    record_status(ward.ingest, [status])
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs:
        judge_fleet(jobs, NOW - timedelta(days=1), NOW)
    ward.admin.execute("UPDATE account SET language = %s", (language,))
    sam = console.sign_in("sam")
    assert sentence in sam.get("/technical").text
    assert sentence in sam.get(f"/gateways/{GATEWAY}").text


def test_an_alarm_of_an_older_version_is_said_as_it_was_written(console: Console, ward: Ward) -> None:
    Fleet(ward.admin).alarm("gateway_away", f"gateway:{GATEWAY}", gateway_id=GATEWAY, sentence="It is away.")
    ward.admin.execute("UPDATE account SET language = 'ru'")
    page = console.sign_in("sam").get("/technical").text
    assert "It is away." in page
    assert "Шлюз не на связи" in page
