"""Rules of the import layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.import_.torch_import_crashed import TorchImportCrashed
from xpu_doctor.rules.import_.torch_import_failed import TorchImportFailed
from xpu_doctor.rules.import_.torch_import_hung import TorchImportHung

RULES: tuple[type[Rule], ...] = (TorchImportCrashed, TorchImportFailed, TorchImportHung)
