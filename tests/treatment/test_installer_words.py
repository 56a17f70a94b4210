"""What installers say of an index, in the words of several versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.treatment.installer_words import (
    LONGEST,
    Fault,
    cause,
    failed_page,
    listed_by_pip,
    one_line,
    said_by_pip,
    said_by_uv,
)

NONE = "ERROR: Could not find a version that satisfies the requirement torch==2.14.0+xpu (from versions: none)"
PIP = (
    (Fault.MISSING, "ERROR: Could not find a version that satisfies the requirement torch==9 (from versions: 2.13.0+xpu, 2.14.0+xpu)\nERROR: No matching distribution found for torch==9"),
    (Fault.MISSING, "ERROR: No matching distribution found for torch==9"),
    (Fault.MISSING, f"2026-11-26T10:00:00,123 Could not fetch URL http://h/torch/: 404 Client Error: Not Found for url: http://h/torch/ - skipping\n{NONE}"),
    (Fault.REFUSED, f"2026-11-26T10:00:00,123 Could not fetch URL https://h/torch/: 403 Client Error: Forbidden for url: https://h/torch/ - skipping\n{NONE}"),
    (Fault.REFUSED, f"2026-11-26T10:00:00,1 Could not fetch URL https://h/torch/: 401 Client Error: Unauthorized for url: https://h/torch/ - skipping\n{NONE}"),
    (Fault.REFUSED, "ERROR: HTTP error 403 while getting https://h/torch-2.14.0.whl (from https://h/torch/)"),
    (Fault.UNREACHABLE, f"Could not fetch URL https://h/torch/: 503 Server Error: Service Unavailable for url: https://h/torch/ - skipping\n{NONE}"),
    (Fault.UNREACHABLE, f"Could not fetch URL https://h/torch/: There was a problem confirming the ssl certificate: certificate verify failed - skipping\n{NONE}"),
    (Fault.UNREACHABLE, f"Could not fetch URL https://h/torch/: connection error: [Errno 111] Connection refused - skipping\n{NONE}"),
    (Fault.UNREACHABLE, "ERROR: HTTP error 502 while getting https://h/torch-2.14.0.whl"),
    (Fault.UNREACHABLE, "Traceback (most recent call last):\npip._vendor.urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='h', port=443): Read timed out."),
    (Fault.RUBBISH, f"WARNING: Skipping page http://h/torch/ because the GET request got Content-Type: image/png. The only supported Content-Types are text/html\n{NONE}"),
    (Fault.RUBBISH, "Traceback (most recent call last):\njson.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    (Fault.CONFLICT, "ERROR: Cannot install torch==2.14.0 and torchvision==0.31.0 because these package versions have conflicting dependencies."),
    (Fault.CONFLICT, "ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/"),
    (Fault.CONFLICT, "ERROR: Package 'torch' requires a different Python: 3.9.2 not in '>=3.10'"),
    (None, "/venv/bin/python: No module named pip"),
    (None, "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"),
    (None, "Usage:\n  pip install [options]\n\nno such option: --dry-run"),
    (None, ""),
)  # fmt: skip
UV = (
    (Fault.MISSING, "error: No solution found when resolving dependencies\n  cause: Because there is no version of torch==9 and you require torch==9, we can conclude that your requirements are unsatisfiable."),
    (Fault.MISSING, "  × No solution found when resolving dependencies:\n  ╰─▶ Because there is no version of torch==9 and you require torch==9, we can\n      conclude that your requirements are unsatisfiable."),
    (Fault.MISSING, "  × No solution found when resolving dependencies:\n  ╰─▶ Because torch was not found in the package registry and you require torch, we can conclude that your requirements are unsatisfiable."),
    (Fault.MISSING, "  × No solution found when resolving dependencies:\n  ╰─▶ Because torch==2.14.0+xpu has no wheels with a matching Python ABI tag (e.g., `cp312`) and you require torch==2.14.0+xpu, we can conclude"),
    (Fault.MISSING, "  × No solution found when resolving dependencies:\n  ╰─▶ Because only torch<=2.13 is available and you require torch==2.14, we can conclude that your requirements are unsatisfiable."),
    (Fault.REFUSED, "error: No solution found when resolving dependencies\n  cause: Because torch was not found in the package registry\nhint: An index (http://h/) returned a 403 Forbidden error. Check that the index URL is correct."),
    (Fault.REFUSED, "  × No solution found when resolving dependencies:\n  ╰─▶ Because torch was not found in the package registry\n      hint: An index URL (https://h/simple) could not be queried due to a lack of valid authentication credentials (401 Unauthorized)."),
    (Fault.UNREACHABLE, "error: Request failed after 3 retries\n  Caused by: Failed to fetch: `http://h/torch/`\n  Caused by: Connection refused (os error 111)"),
    (Fault.UNREACHABLE, "error: Could not connect, are you offline?\n  Caused by: error sending request for url (https://h/torch/)\n  Caused by: dns error"),
    (Fault.UNREACHABLE, "error: Failed to fetch: `http://h/torch/`\n  Caused by: HTTP status server error (500 Internal Server Error) for url (http://h/torch/)"),
    (Fault.RUBBISH, "error: Unsupported `Content-Type` \"application/octet-stream\" for http://h/torch/. Expected JSON or HTML."),
    (Fault.RUBBISH, "error: Failed to parse `http://h/torch/`\n  Caused by: EOF while parsing a list"),
    (Fault.CONFLICT, "error: No solution found when resolving dependencies\n  cause: Because torchvision==0.31.0 depends on torch==2.14.0 and you require torch==2.16.0, we can conclude that your requirements are unsatisfiable."),
    (None, "error: No virtual environment found for Python 3.15; run `uv venv` to create an environment"),
    (None, "error: unexpected argument '--dry-run' found"),
    (None, ""),
)  # fmt: skip


@pytest.mark.parametrize(("fault", "text"), PIP)
def test_pip(fault: Fault | None, text: str) -> None:
    """Each failure is told apart, and said in one line of pip's own."""
    said = said_by_pip(text)
    assert (
        said.fault is fault
        and "\n" not in said.line
        and not said.line.startswith("2026")
        and bool(said.line) is bool(text)
    )
    assert (
        said_by_pip(f"Looking in indexes: https://h/simple\n{text}\n[notice] A new release of pip is available\n").fault
        is fault
    )


@pytest.mark.parametrize(("fault", "text"), UV)
def test_uv(fault: Fault | None, text: str) -> None:
    """Errors are drawn in two ways and wrapped by older versions."""
    said = said_by_uv(text)
    assert said.fault is fault, said
    assert "\n" not in said.line and "╰" not in said.line and bool(said.line) is bool(text)
    assert said_by_uv(f"Using Python 3.12.1 environment at: env\n{text}").fault is fault


def test_a_page_that_failed_does_not_hide_versions_that_were_found() -> None:
    """Where one of two indexes cannot be reached and the other lists versions, the version is missing."""
    text = "Could not fetch URL http://h/torch/: 403 Client Error: x - skipping\nERROR: Could not find a version that satisfies the requirement torch==9 (from versions: 2.14.0)"
    assert said_by_pip(text).fault is Fault.MISSING


def test_versions() -> None:
    """What `pip index versions` prints."""
    text = "torch (2.14.0+xpu)\nAvailable versions: 2.14.0+xpu, 2.13.0+xpu\n  INSTALLED: 2.9.0+cpu\n  LATEST:    2.14.0+xpu\n"
    assert listed_by_pip(text) == ("2.14.0+xpu", "2.13.0+xpu") and listed_by_pip("") == ()


def test_one_line() -> None:
    """Without credentials, line ends, controls, and the middle of what is too long."""
    assert one_line("a\n  b\tc") == "a b c" and one_line("at https://kim:secret@host/x") == "at https://***@host/x"
    assert "\x1b" not in one_line("\x1b[31mred") and one_line("") == ""
    long = one_line("begin " + "word " * 500 + "end")
    assert len(long) <= LONGEST + 5 and long.startswith("begin") and long.endswith("end") and " ... " in long


@given(st.text(max_size=500))
def test_nothing_breaks_it(text: str) -> None:
    """Whatever a program prints."""
    for said in (said_by_pip(text), said_by_uv(text)):
        assert "\n" not in said.line and len(said.line) <= LONGEST * 7
    assert isinstance(listed_by_pip(text), tuple)


OWN = "Could not fetch URL https://h/whl/pip/: 404 Client Error: Not Found for url: https://h/whl/pip/ - skipping"
"""What pip's look for its own update leaves in the log, whatever is installed."""


def test_that_an_index_lacks_pip_itself_is_no_reason() -> None:
    versions = "ERROR: Could not find a version that satisfies the requirement torch==9 (from versions: 2.14.0)"
    for text in (f"{OWN}\n{versions}", f"{versions}\n2026-11-26T10:00:00,123 {OWN}", f"{OWN}\n{NONE}"):
        said = said_by_pip(text)
        assert said.fault is Fault.MISSING and "Could not find a version" in said.line and "/pip/" not in said.line
    assert failed_page(OWN, "https://h/whl") is None
    assert failed_page(OWN.replace("/pip/", "/torch/"), "https://h/whl") is not None


def test_a_missing_package_is_said_in_the_words_of_the_installer() -> None:
    page = "Could not fetch URL http://h/torch/: 404 Client Error: Not Found for url: http://h/torch/ - skipping"
    assert said_by_pip(f"{page}\n{NONE}").line == NONE.removeprefix("ERROR: ")


POOL = "HTTPSConnectionPool(host='h', port=443): Max retries exceeded with url: /whl/xpu/torch/ (Caused by "
CAUSES = (
    (f"{POOL}NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f0011>: Failed to establish a new connection: [Errno -2] Name or service not known'))", "Name or service not known"),
    (f'{POOL}NameResolutionError("<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to resolve \'h\' ([Errno -3] Temporary failure in name resolution)"))', "Temporary failure in name resolution"),
    (f"{POOL}NewConnectionError('<pip>: Failed to establish a new connection: [Errno 111] Connection refused'))", "Connection refused"),
    (f"{POOL}NewConnectionError('<pip>: Failed to establish a new connection: [WinError 10061] No connection could be made because the target machine actively refused it'))", "No connection could be made because the target machine actively refused it"),
    (f"{POOL}ProxyError('Cannot connect to proxy.', NewConnectionError('<pip>: Failed to establish a new connection: [Errno 111] Connection refused')))", "the proxy: Connection refused"),
    (f"{POOL}ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 403 Forbidden')))", "the proxy: Tunnel connection failed: 403 Forbidden"),
    (f"{POOL}SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1010)')))", "certificate verify failed: self-signed certificate in certificate chain"),
    (f"{POOL}ConnectTimeoutError(<pip>, 'Connection to h timed out. (connect timeout=15)'))", "Connection to h timed out"),
    ("HTTPSConnectionPool(host='h', port=443): Read timed out. (read timeout=15)", "Read timed out"),
    ("Failed to fetch: `http://h/` error sending request for url (http://h/) client error (Connect) dns error failed to lookup address information: Name or service not known", "Name or service not known"),
    ("Failed to fetch: `http://h/` error sending request for url (http://h/) client error (Connect) tcp connect error: Connection refused (os error 111)", "Connection refused"),
    ("503 Server Error: Service Unavailable for url: https://h/torch/", "503 Server Error: Service Unavailable for url: https://h/torch/"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "words"), CAUSES)
def test_an_index_that_cannot_be_reached_is_said_in_a_few_words(text: str, words: str) -> None:
    assert cause(text) == words


@pytest.mark.parametrize(("text", "words"), CAUSES[:9])
def test_the_few_words_are_what_is_shown_of_pip(text: str, words: str) -> None:
    page = f"Could not fetch URL https://h/whl/xpu/torch/: connection error: {text} - skipping\n{NONE}"
    assert (said_by_pip(page).fault, said_by_pip(page).line) == (Fault.UNREACHABLE, words)
    tries = "".join(
        f'WARNING: Retrying (Retry(total={left}, connect=None)) after connection broken by "{text}": /torch/\n'
        for left in (1, 0)
    )
    assert (said_by_pip(tries + NONE).fault, said_by_pip(tries + NONE).line) == (Fault.UNREACHABLE, words)
    assert said_by_pip(tries.splitlines()[0] + "\n" + NONE).fault is Fault.MISSING, "a later attempt succeeded"


def test_a_long_line_is_cut_between_words() -> None:
    words = " ".join(f"word{number}" for number in range(200))
    assert set(one_line(words).split()) <= {*words.split(), "..."}
