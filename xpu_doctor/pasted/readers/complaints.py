"""Reads what a text is for: a complaint that something does not work, a proposal, or a run of torch's own tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.printed_lines import LONGEST, written
from xpu_doctor.text.said import Said
from xpu_doctor.text.word_index import WordTable

TOLD = frozenset({Said.TOLD, Said.QUOTED, Said.COMMENT, Said.ASKED})
"""How a complaint is meant: what is denied, over, supposed or of a form is none."""

_TEST_OF_TORCH = late_pattern(
    r"""
    [/\\]torch[/\\]testing[/\\]_internal[/\\] | [/\\]torch-xpu-ops[/\\]test[/\\] | \btest/xpu/\w
    | \btest_(?:torch|nn|autograd|linalg|matmul|ops\w{0,20}|\w{1,12}_ufuncs|reductions|indexing|tensor_creation_ops|foreach|sparse\w{0,8}|sort_and_select
      |scatter_gather_ops|shape_ops|modules|optim|transformers|type_promotion|view_ops|masked|segment_reductions|spectral_ops|native_mha|multiprocessing
      |dataloader|distributions|namedtensor|complex|c10d\w{0,12}|profiler|convolution|pooling|dropout|embedding|meta|decomp|jit|quantiz\w{1,8}|compile\w{0,12})
      _(?:xpu|cuda)\.py\b
    | \bTest\w{1,40}XPU(?:::|\.) | ^\W{0,10}(?:op_ut|op_extended),third_party | \bPYTORCH_TEST_WITH_\w
    """,
    re.VERBOSE | re.MULTILINE,
)
_TEST_WORDS = (
    "testing", "torch-xpu-ops", "_xpu.py", "_cuda.py", "test/xpu", "xpu::", "xpu.", "third_party", "pytorch_test_with",
)  # fmt: skip
_CHANGE = late_pattern(
    r"""
    (?i)^\W{0,8}(?:
      (?:feat|fix|chore|docs?|refactor|perf|tests?|ci|build|style)(?:\([^)\n]{1,40}\))?!?:[ ]
      | \[?(?:pr|wip)\b\]?[ ]?(?:[:\]]|[ ]-)
      | (?:purpose|motivation|test[ ]plan|changes)\W{0,4}$
      | bump\b.{0,60}\b(?:to|from)\b
    )
    | \bthis[ ](?:pr|pull[ ]request|patch|change)[ ](?:\w{1,12}[ ])?(?:add|fix|enabl|implement|introduc|allow|mak|chang|remov|updat|extend|bring|port)
    | \b(?:fix(?:es|ed)?|clos(?:es|ed)?|resolv(?:es|ed)?)[ ]\#\d{2,7}\b | ^\W{0,4}\[[^\]\n]{1,20}\][ ]?(?:fix|add|enable|remove|update|support|refactor)\b
    | \btracking[ ]issue\b | \brelease[ ]notes\b | ^\s{0,8}[-*][ ]\[[ xX]\][ ].{0,40}(?:\baten::|\#\d{2,6}\b)
    """,
    re.VERBOSE | re.MULTILINE,
)
"""A text that describes a change of code, or keeps a list of them: what it says of failing is why."""
_CHANGE_WORDS = (
    "feat", "fix", "chore", "doc", "refactor", "perf", "test", "ci:", "build", "style", "wip", "pr", "purpose", "motivation", "changes", "bump",
    "this pr", "this pull", "this patch", "this change", "tracking issue", "release notes", "aten::", "#",
)  # fmt: skip
_WISH = late_pattern(
    r"""
    (?i)^\W{0,8}(?:
      \[?(?:feature(?:[ ]request)?|enhancement|proposal|rfc|roadmap|docs?)\b\]?[ ]?(?:[:\]]|request\b|[ ]-)
      | is[ ]your[ ](?:feature|enhancement)\b.{0,20}[ ]related[ ]to[ ]a[ ]problem\b.{0,40}$
      | what[ ]is[ ]the[ ]feature\b.{0,40}$ | the[ ]feature,[ ]motivation\b.{0,40}$ | describe[ ]the[ ](?:solution|feature)\b.{0,40}$
      | (?:add|adds|enable|enables|implement|support|allow|port|introduce)\b.{0,40}\b(?:xpu|intel|arc)\b.{0,40}$
    )
    | \b(?:i|we)(?:.d|[ ]would)[ ](?:like|love)[ ]to[ ](?:request|propose|suggest|see[ ]support)
    | \bfeature[ ]request\b | \bwould[ ](?:like|love)[ ]to[ ](?:have|see)\b | \bwould[ ]be[ ](?:great|nice|good|cool|awesome|helpful)[ ](?:if|to)\b
    | \b(?:any[ ]plans?|are[ ]there[ ]plans?)\b.{0,20}\b(?:to|for)\b | \b(?:any|is[ ]there)[ ]a?[ ]?chance\b.{0,20}\bsupport\b
    | \b(?:please|could[ ]you|can[ ]you|would[ ]you)\b.{0,30}\b(?:add|implement|consider|support)\b.{0,40}\b(?:support|xpu|intel|arc)\b
    """,
    re.VERBOSE | re.MULTILINE,
)
"""A text that asks for a feature."""
_WISH_WORDS = (
    "feature", "enhancement", "proposal", "rfc", "roadmap", "doc", "describe the", "add", "enable", "implement", "support", "allow", "port",
    "introduce", "request", "propose", "suggest", "consider", "would like",
    "would love", "would be", "plan", "chance",
)  # fmt: skip
_COMPLAINT = late_pattern(
    r"""
    (?i)
    \b(?:
    (?:(?:does|do|did|is|are|was|were|ca|could|wo|would|has|have)(?:\s?n.?t|[ ]not)\b | cannot\b | can[ ]not\b | never\b
      | unable[ ]to\b | no[ ]longer\b | not[ ]able[ ]to\b | refus\w{1,3}[ ]to\b | fail\w{0,3}[ ]to\b)
    .{0,40}\b(?:work|run|start|load|launch|boot|detect|find|found|see|seen|recogni[sz]|us(?:e|ing|ed)|generat|install|initiali|compil|finish|complet
      |respond|show|get|access|pick|open|import|enabl|answer|list|train|infer|happen|move|allocat)\w{0,6}\b
    | (?:crash(?:e[sd]|ing)?|hang(?:s|ing)?|hung|freez\w{1,3}|froze|stuck|segfaults?|abort(?:s|ed|ing)|errors?[ ]out|fails|failed|failing|failure
      |broken|breaks|broke|dies|died|deadlock\w{0,2})\b
    | (?:black|blank|gr[ae]y|noisy|garbled|corrupt\w{0,3}|wrong|incorrect|nan|garbage|gibberish|nonsense|empty)\b.{0,24}
      \b(?:images?|outputs?|results?|pictures?|screens?|texts?|values?|tokens?|videos?|loss|answers?)\b
    | (?:images?|outputs?|results?|pictures?|screen|values?|loss|tensor)\b.{0,24}\b(?:black|blank|garbled|corrupt\w{0,3}|wrong|incorrect|nan|garbage|noise)\b
    | (?:tak(?:es?|ing)|took|wait(?:s|ed|ing)?)\b.{0,24}\b(?:forever|ages|(?:too|so|very)[ ]long|minutes|hours)\b
    | (?:slow(?:er|ly|ness)?|regress\w{0,4})\b | (?:bad|poor|low|terrible|worse|weak|awful)[ ](?:performance|perf|speed|throughput)\b | underperform
    | (?:falls?|fell|falling)[ ]back[ ]to[ ](?:the[ ])?cpu\b | (?:only|still|just|instead)\b.{0,20}\b(?:on|use[sd]?|using)[ ](?:the[ ]|my[ ])?cpu\b
    | (?:on|use[sd]?|using)[ ](?:the[ ]|my[ ])?cpu[ ](?:only|instead|alone)\b
    | 100[ ]?%[ ]cpu\b | gpu\b.{0,12}\b(?:idle|unused|not[ ](?:being[ ])?used)\b
    | not[ ](?:detected|recogni[sz]ed|found|working|available|visible|seen|used)\b
    | (?:gets?|getting|got|giv\w{1,3}|gave|throws?|throwing|seeing|face[sd]?|facing|run(?:ning)?[ ]into|ran[ ]into|encounter\w{0,3}
      |meet|hit|following|below|this)[ ](?:\w{1,12}[ ]){0,3}(?:errors?|issues?|problems?|exceptions?|oom)\b
    | oom\b | out[ ]of[ ](?:v?ram|memory)\b
    )
    | ^\W{0,6}(?:bug|issue)\b\s{0,3}[\]:]
    | 报错|错误|无法|失败|不能|卡住|崩溃|エラー|失敗|できません|できない|動かない|動きません
    """,
    re.VERBOSE,
)
_IDLE_GPU = late_pattern(
    r"""
    (?i)
    (?<!longer[ ])(?<!not[ ])(?<!never[ ])\b(?:train|runn?|comput|infer|generat|inferenc|process|execut|calculat|finetun|fine-tun)\w{0,6}\b
      (?:(?!\bno[ ]longer\b|\bnot\b|n't\b|\bnever\b).){0,40}\bon[ ](?:the[ ]|my[ ]|its[ ])?(?:cpu|processor)\b
    | \b(?:only|still|just|instead)\b.{0,20}\b(?:on|use[sd]?|using)[ ](?:the[ ]|my[ ])?cpu\b
    | \b(?:on|use[sd]?|using)[ ](?:the[ ]|my[ ])?cpu[ ](?:only|instead|alone)\b
    | \b100[ ]?%[ ]cpu\b | \bcpu\b.{0,20}\b100[ ]?%
    | \bgpu\b.{0,12}\b(?:idle|idles|idling|unused|not[ ](?:being[ ])?used)\b
    | \bgpu\b.{0,24}\b(?:usage|utili[sz]ation|load|use)\b.{0,16}\b0[ ]?% | \b0[ ]?%.{0,8}\bgpu\b
    """,
    re.VERBOSE,
)
_TROUBLE = WordTable((
    "n't", "n’t", "not", "nnot", "never", "unable", "no longer", "refus", "fail", "crash", "hang", "hung", "freez", "froze", "stuck", "abort",
    "error", "broke", "break", "die", "lock", "black", "blank", "gray", "grey", "nois", "garb", "corrupt", "wrong", "incorrect", "nan", "gibber",
    "nonsense", "empty", "slow", "forever", "ages", "long", "minutes", "hours", "regress", "performance", "speed",
    "cpu", "idle", "unused", "issue", "problem", "exception", "oom", "memory",
    "bug", "segfault", "报错", "错误", "无法", "失败", "不能", "卡住", "崩溃", "エラー", "失敗", "でき", "動",
))  # fmt: skip


def complaints(text: Text, harmless: frozenset[int]) -> Iterator[str]:
    """Yield where somebody says in prose that something does not work."""
    statements = text.statements
    for number in written(text.searched, text.searched.numbers_with_any(_TROUBLE.present(text.searched))):
        if number in harmless:
            continue
        line = text.searched.line(number)[:LONGEST]
        if any(statements.claimed(number, *match.span()) in TOLD for match in islice(_COMPLAINT.finditer(line), 4)):
            yield f"{text.name}, line {number - 1 + text.first_line}"


def _idle_gpu(text: Text) -> int | None:
    """Return the number of the first line in which somebody says that the processor does the work of the GPU; None where nobody does."""
    for number in written(text.searched, text.searched.numbers_with_any(("cpu", "gpu", "processor"))):
        line = text.searched.line(number)[:LONGEST]
        spans = (match.span() for match in islice(_IDLE_GPU.finditer(line), 4))
        if any(text.statements.claimed(number, *span) in TOLD for span in spans):
            return number
    return None


def parse(text: Text, facts: Collected) -> None:
    """Note whether torch's own tests are what ran, whether the text proposes a change or asks for a feature, and whether the GPU idles in it."""
    idle = _idle_gpu(text)
    if idle is not None:
        facts.put("pasted.idle_gpu", True, f"{text.name}, line {idle - 1 + text.first_line}")
    found = text.first(_TEST_OF_TORCH, *_TEST_WORDS)
    if found:
        facts.put("pasted.tests_of_torch", True, text.place(found.start()))
    for kind, pattern, words in (("change", _CHANGE, _CHANGE_WORDS), ("wish", _WISH, _WISH_WORDS)):
        asked = text.first(pattern, *words)
        if asked:
            facts.put("pasted.proposes", kind, text.place(asked.start()))
