"""Rules of the application layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.application.app_bug import AppBug
from xpu_doctor.rules.application.app_lacks_xpu_support import AppLacksXpuSupport
from xpu_doctor.rules.application.app_requests_cuda import AppRequestsCuda

RULES: tuple[type[Rule], ...] = (
    AppRequestsCuda,
    AppLacksXpuSupport,
    AppBug,
)
