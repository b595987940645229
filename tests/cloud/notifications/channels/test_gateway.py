"""SMS and voice by HTTP, against a gateway with faults on a real socket."""

import json
import ssl
import threading

import pytest

from cloud.notifications.channels import post
from cloud.notifications.channels.gateway import Gateway as Channel
from cloud.notifications.channels.gateway import filled
from cloud.notifications.channels.port import Never, Sent, TryAgain
from cloud.notifications.channels.post import Poster
from deploy.receivers.gateways import Fault, Gateway
from tests.cloud.notifications.channels.made import KEY, message

TLS = ssl.create_default_context()


def channel(gateway: Gateway, **options: object) -> Channel:
    shape = options.pop("shape", '{"to": "{to}", "text": "{text}"}')
    return Channel(poster=Poster(gateway.url, TLS), shape=shape, **options)  # type: ignore[arg-type]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds."""
    monkeypatch.setattr(post, "SEND_WITHIN_S", 0.3)


def test_a_message_carries_its_key_and_token_and_gives_the_providers_id(phone_gateway: Gateway) -> None:
    sent = channel(phone_gateway, token="bearer-of-the-tests").send(message())

    [request] = phone_gateway.requests
    assert json.loads(request.body) == {"to": "+4520123456", "text": "Pulsepost: a case of tier urgent waits"}
    assert request.headers["idempotency-key"] == str(KEY)
    assert request.headers["authorization"] == "Bearer bearer-of-the-tests"
    assert request.headers["accept-encoding"] == "identity"  # the answer is read as it is sent
    assert sent == Sent(provider_id=phone_gateway.id_of(str(KEY)), arrived=False)


def test_the_operators_shape_is_kept_and_only_its_strings_are_filled() -> None:
    shape = {"recipients": [{"msisdn": "{to}"}], "message": "!{text}", "flash": True, "retries": 0, "{to}": None}

    assert filled(shape, {"to": "+45", "text": 'a "quoted" {to}'}) == {
        "recipients": [{"msisdn": "+45"}],
        "message": '!a "quoted" {to}',
        "flash": True,
        "retries": 0,
        "{to}": None,
    }


def test_an_answer_confirms_only_where_the_operator_says_so(phone_gateway: Gateway) -> None:
    assert channel(phone_gateway, answer_confirms=True).send(message()).arrived


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.BUSY])
def test_trouble_on_the_far_side_means_again(phone_gateway: Gateway, fault: Fault) -> None:
    phone_gateway.faults.append(fault)

    with pytest.raises(TryAgain, match=r"status (500|429)"):
        channel(phone_gateway).send(message())


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ELSEWHERE])
def test_a_refusal_and_a_redirect_mean_never(phone_gateway: Gateway, fault: Fault) -> None:
    phone_gateway.faults.append(fault)

    with pytest.raises(Never):
        channel(phone_gateway).send(message())
    assert len(phone_gateway.requests) == 1


def test_silence_ends_in_time_and_means_again(phone_gateway: Gateway, impatient: None) -> None:
    phone_gateway.faults.append(Fault.SILENT)

    with pytest.raises(TryAgain, match="no answer in time"):
        channel(phone_gateway).send(message())


@pytest.mark.parametrize("fault", [Fault.DONE_AND_GONE, Fault.DONE_AND_SILENT])
def test_a_message_whose_answer_was_lost_is_sent_once_however_often_it_is_tried(
    phone_gateway: Gateway, impatient: None, fault: Fault
) -> None:
    phone_gateway.faults.append(fault)

    with pytest.raises(TryAgain):
        channel(phone_gateway).send(message())
    channel(phone_gateway).send(message())

    assert len(phone_gateway.requests) == 2
    assert list(phone_gateway.pages) == [str(KEY)]


def test_an_answer_without_end_is_not_listened_to(phone_gateway: Gateway) -> None:
    phone_gateway.faults.append(Fault.TALKATIVE)

    assert channel(phone_gateway).send(message()) == Sent()


def test_a_gateway_that_is_away_means_again() -> None:
    with pytest.raises(TryAgain, match="ConnectError"):
        Channel(poster=Poster("http://127.0.0.1:1/", TLS), shape="{}").send(message())


def test_it_may_be_used_in_several_threads_at_once(phone_gateway: Gateway) -> None:
    sending = [threading.Thread(target=channel(phone_gateway).send, args=(message(),)) for _ in range(4)]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join()

    assert len(phone_gateway.requests) == 4
    assert len(phone_gateway.pages) == 1


def test_the_operators_address_and_the_persons_number_stay_out_of_the_log(
    phone_gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    Channel(poster=Poster(f"{phone_gateway.url}?token=of-the-operator", TLS), shape='{"to": "{to}"}').send(message())

    assert len(phone_gateway.requests) == 1
    assert not [line for line in caplog.messages if "of-the-operator" in line or "4520123456" in line]
