"""The words by which a clause tells, denies, asks or supposes. All patterns are linear."""

from __future__ import annotations

import re

from xpu_doctor.text.late_pattern import late_pattern

BOUNDARY = late_pattern(
    r"""
    [.!?\u3002\uff01\uff1f](?=[\s"')\]*_`]|$)\S{0,4}
    | [;:](?=\s|$) | ,(?=\s) | [()\[\]] | \s[-\u2013\u2014]{1,3}\s | [\u2192|] | \s=>\s | \s->\s
    | \b(?:but|however|although|though|whereas|because|since|until|unless|when|whenever|while|once|which|who|why|how|whether|except|despite
        |instead|otherwise|therefore|so|then|yet|and|if|before|after)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
SENTENCE_END = late_pattern(r"[.!?\u3002\uff01\uff1f](?=[\s\"')\]*_`]|$)")
TROUBLE = late_pattern(
    r"""
    \b(?:crash\w{0,3}|hang(?:s|ing)?|hung|fr(?:eez|oz)\w{1,4}|fail\w{0,5}|br(?:eak|oke)\w{0,3}|errors?|exceptions?|abort\w{0,3}|dump(?:ed|s)?
        |stuck|stall\w{0,3}|slow\w{0,4}|wrong\w{0,2}|incorrect\w{0,2}|garbage|garbled|corrupt\w{0,4}|gibberish|nonsense|black|noise|noisy|nans?
        |oom|out[ ]of[ ]\w{0,6}[ ]?memory|leak\w{0,3}|overflow\w{0,3}|lost|dead-?lock\w{0,2}|time[sd]?[ -]?out|timeouts?|mismatch\w{0,2}
        |regress\w{0,5}|problems?|issues?|trouble\w{0,2}|bugs?|segfaults?|segmentation|lock(?:s|ed)?[ -]?up|unusable|panic\w{0,4}|incoherent
        |abnormal\w{0,2}|fall(?:s|ing)?[ ]back|fell[ ]back|hardcod\w{1,3})\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
SUCCESS = late_pattern(
    r"""
    \b(?:work(?:s|ed|ing)?|fine|ok(?:ay)?|good|well|great|correct(?:ly)?|success\w{0,6}|succe\w{2,5}|pass(?:es|ed|ing)?|fix(?:es|ed)?|solve[sd]?
        |resolve[sd]?|stable|help(?:s|ed)|sees?|seen|lists?|listed|finds?|found|detect\w{0,3}|shows?|visible|recogni[sz]\w{1,3}|coherent|runs?
        |allow\w{0,2}|able|display\w{0,2})\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
NEGATOR = late_pattern(
    r"""
    (?P<success>\b(?:unable|fail(?:s|ed|ing)?[ ]to)\b)
    | (?P<failing>\b(?:free[ ](?:of|from)|instead[ ]of|rather[ ]than|avoid(?:s|ed|ing)?|prevent(?:s|ed|ing)?|rul(?:ed|ing)[ ]out|absence[ ]of
        |stop(?:s|ped)|(?<!level[ -])(?<!level_)zero|(?<![\w.:/-])0(?=\s))\b)
    | (?P<noun>\b(?:without|no|lacks?|lacking)\b)
    | \b(?:not|never|none|nothing|neither|nor|hardly|nobody|cannot|dont|doesnt|didnt|isnt|cant|wont|wasnt|hasnt|havent)\b
    | n['\u2019]t\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
NO_NEGATOR = late_pattern(
    r"""
    not?[ ](?:only|just|sure|clear|certain|even|matter|doubt|wonder|idea|clue|luck|response|way
        |to[ ]mention|solution|workaround|help|change|difference|effect|avail|later)\b
    | (?:(?:can)?not|n.t)[ ](?:\w{1,12}[ ])?(?:fix|solve|resolve|get[ ]rid|explain|understand)\b
    | without[ ](?:luck|success|any[ ]luck|effect|warning|reason|notice)
    | nothing[ ](?:but|works?|helps?|helped|else|changed)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What begins with a negator and denies nothing of what follows."""
LIST = late_pattern(
    r"(?i)\b(?:no|without(?: any)?|neither|never|nothing)\s(?:[\w-]{1,16}\s?){1,2}"
    r"(?:,\s(?:no\s)?[\w-]{1,16}\s?){0,4}(?:,?\s?\b(?:or|nor|and)\s(?:no |any )?|,\s)$"
)
"""A list that is denied as a whole, up to its next member: "no crash, hang or"."""
NAMED_NOT = late_pattern(
    r"(?i)\b(?:no|not|never|without|n.t|instead of|rather than)\s(?:\w{1,12}\s){0,2}(?:an?\s|the\s|any\s)?$"
)
NO_MORE = late_pattern(r"(?i)\b(?:no longer|not the case that|isn.t that|not that|never once)\s(?:\w{1,12}\s){0,3}$")
DENIED_AFTER = late_pattern(
    r"""
    [\s\w]{0,16}\b(?:do(?:es)?|did|has|have|is|are|was|were|can|could)?(?:[ ]?n['\u2019]t|[ ]not|[ ]no[ ]longer|[ ]never)[ ](?:\w{1,12}[ ])?
    (?:occur|happen|appear|reproduc|show|seen|there|present|trigger|exist|a[ ]problem|an[ ]issue|any[ ]more|observed)\w{0,6}
    (?![ ](?:on|in|with|under|when|if|for|unless|until)\b)
    | \s{0,2}[=:]\s{0,2}(?:False|None|no|off|disabled|0)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
OVER = late_pattern(
    r"""
    \b(?:
    (?=[iawgbnhs])(?<!gpu[ ])(?<!gpus[ ])(?<!card[ ])(?<!cards[ ])(?<!device[ ])(?<!devices[ ])(?<!xpu[ ])(?<!adapter[ ])(?<!\d0[ ])(?<!renderd128[ ])
        (?:is|are|was|were|got|been|now|has|have|seems?|all)[ ](?:\w{1,10}[ ]){0,2}(?:gone|solved|resolved|fixed|over|history|cured)\b
    | (?:went|goes|gone|go)[ ]away\b
    | (?=disappear)(?<!gpu[ ])(?<!gpus[ ])(?<!card[ ])(?<!cards[ ])(?<!device[ ])(?<!devices[ ])(?<!xpu[ ])(?<!adapter[ ])(?<!\d0[ ])
        disappear(?:s|ed)\b(?![ ](?:from|in)\b)
    | no[ ]longer[ ](?:happen|occur|appear|reproduc|see|get|there|an?[ ])\w{0,6}
    | solved[ ](?:it|this|that|by|with|now)\b | now[ ](?:it|everything|all|this)\b.{0,12}\b(?:works?|working|fine|ok|solved|fixed)\b
    | it[ ](?:is|.?s)?[ ]?(?:now[ ]works?|works?[ ]now|all[ ]works?|fixed|solved|resolved)\b
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A failure that is over; a device that is gone is none."""
NOT_MADE = late_pattern(
    r"(?i)\b(?:not|n.t|never|without|avoid\w{0,3}) (?:making|being|keeping|leaving|letting) (?:\w{1,12} ){0,3}$"
)
"""What stands before a fault that somebody did not bring about: "for not making it CUDA-only"."""
NOT_REPRODUCED = late_pattern(
    r"(?i)\b(?:can(?:no|.)t|can not|could(?: no|n.)t|did(?: no|n.)t|unable to|not able to|failed to|never)\s(?:\w{1,12}\s){0,2}reproduc(?:e|ed|ing)\b"
)
MENDS = late_pattern(
    r"""
    (?P<asks>
      \b(?:to|how|please|can|could|would|need|help|should|must|cannot|not|n.t|try|tried|trying|until|when|once|if)
      [ ](?:\w{1,12}[ ]){0,2}
    )?
    \b(?<!the[ ])(?<!a[ ])(?<!any[ ])(?<!no[ ])(?:fix(?:e[sd])?|solve[sd]?|resolve[sd]?|mend(?:s|ed)?|cure[sd]?)[ ](?:\S{1,20}[ ]){0,4}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What mends a failure says that it is over, unless it is asked for, tried or denied."""
NOT_ANY = late_pattern(r"(?i)\s(?:an?y|a single|one)\s(?:\w{1,12}\s){0,2}$")
BY_GOING_BACK = late_pattern(
    r"(?i)\b(?:downgrad|roll(?:ed|ing)? ?back|revert|older|previous|earlier|went back|going back|restart|reboot|workaround)"
)
USED_TO = late_pattern(r"(?i)\b(?:used to|formerly|in the past|back then|before (?:the|this) fix)\b")
HAD = late_pattern(
    r"(?i)\b(?:I|we) (?:had|was|were|used to|got|did have|have had|ran into|hit|experienced)\b|\bthere (?:was|were|used to)\b|\b(?:was|were)\b"
)
QUESTION = late_pattern(
    r"""
    (?:\W|\b(?:and|so|but|or|hi|hello|hey|btw|also|then|ok|question|q)\b){0,12}
    (?:do(?:es)?|did|is|are|was|were|can|could|will|would|has|have|should|may|any(?:one|body)|isn.t|doesn.t|aren.t|don.t|won.t|can.t)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
PRESUPPOSES = late_pattern(
    r"""
    \b(?:why|how|what|where|which|who|fix(?:es|ed|ing)?|work-?arounds?|solutions?|solve[sd]?|help|known|else|(?:this|that|it)[ ]an?\b
        |look[ ]into|explain|idea|clue|advi[cs]e|suggestions?|due[ ]to|caused?|because|related|same|similar|me|still|reason|figured?
        |experienc\w{1,3}|encounter\w{0,3}|ran[ ]into|run[ ]into|avoid|get[ ]rid|prevent|normal|supposed)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A question with one of these takes for granted what it speaks of: "is there a fix for the crash?"."""
INDIRECT = late_pattern(
    r"""
    \b(?:wonder\w{0,3}|curious|ask(?:ing)?|question[ ]is|not[ ]sure|unsure|unclear|don.?t[ ]know|do[ ]not[ ]know|no[ ]idea|like[ ]to[ ]know|want[ ]to[ ]know
        |not[ ]clear|let[ ]me[ ]know|tell[ ]me|check(?:ing)?|see|test)[ ](?:if|whether)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
CONDITION = late_pattern(
    r"(?i)\b(?:if|in case(?: of)?|should (?:it|you|the)|assuming|provided|supposing|as long as|in the event)\b(?! (?:I|we) (?!get\b|see\b|have\b))"
)
MODAL = late_pattern(
    r"(?i)\b(?:might|may|could|would|can (?:also|sometimes|still)|potentially|possibly|probably will|likely to)\s(?:\w{1,12}\s){0,2}$"
)
OUGHT = late_pattern(
    r"""
    \b(?:should(?:[ ]?n.t)?(?![ ](?:it|you|the|this|that|they)\b)|ought[ ]to|must(?:[ ]not|n.t)|supposed[ ]to|expect(?:ed|ing|s)?
        |would[ ]expect|I[ ]want|we[ ]want|would[ ]like|please|hope(?:fully)?|goal)\b
    (?![ ]?(?:cpu|be[ ]noted|note)\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)
QUOTES = late_pattern(
    r"""
    \b(?:docs?|documentation|readme|wiki|manual|guide|release[ ]notes?|changelog|web ?site|faq|tutorial|article|blog)\b[^.!?]{0,30}
        \b(?:say|state|mention|claim|list|note|suggest|warn|describe|read|tell|recommend)s?\b
    | \baccording[ ]to\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
USE_OF = late_pattern(
    r"""
    \b(?:multi(?:ple)?|dual|several|two|distributed|fsdp2?|ddp|(?:tensor|pipeline|data|expert)[- ]parallel\w{0,3}|flash[- ]?att\w{1,6}|paged[- ]?att\w{1,6}
        |quanti[sz]\w{1,6}|int[48]|u?int(?:16|32)|fp(?:4|8|16|64)|float(?:16|64)|bf16|bfloat16|double|complex\w{0,4}|triton|torch\.compile|compil\w{1,5}|graphs?
        |profil\w{1,3}|kineto|sparse\w{0,4}|nccl|xccl|gloo|jit|amp|autocast|mxfp\d|nvfp4|awq|gptq|gguf|bitsandbytes|xformers|sdpa|operators?|ops?|kernels?
        |dtypes?|features?|mode|backward|channels[- ]last|virtuali[sz]ation|sr-?iov|streams?|events?|ipc|p2p|peer)\b
    (?:[- ]\w{1,16}){0,2}[- ](?:(?:on|for|with|in|under|via|using)[ ](?:the[ ]|an?[ ]|your[ ]|my[ ]|intel[ ]|arc[ ]){0,3})?$
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A part or a use of a device, named before it."""
UNTIL = late_pattern(r"(?i)[^.!?;]{0,40}\buntil\b[^.!?;]{0,60}\b(?:is|are|was|were|has|have|gets?|you|someone|that)\b")
WORDS = late_pattern(r"[^\s]+")
IF_SEEN = late_pattern(
    r"(?i)\W{0,8}(?:and |or |but )?(?:if|in case|should) (?:you|one|they|it|this|the) ?(?:ever |then |still )?"
    r"(?:see|get|encounter|run|hit|face|crash|fail|show|print|say|report|appear)"
)
IN_CASE = late_pattern(
    r"(?i)\W{0,8}(?:and |or |but |so |note:? )?(?:if|in case|when|whenever|should|once|where)\b(?! (?:I|we)\b)"
)
ADVISES = late_pattern(
    r"""
    [^.!?\n]{0,160}?,[ ](?:then[ ]|just[ ]|simply[ ]){0,2}
    (?: you(?:.ll|[ ](?:can|could|should|may|might|must|need|have|will))\b
        | (?:please|try|set|use|run|(?:re)?install|see|check|make[ ]sure|add|pass|update|upgrade|switch|export|follow|open|remove|uninstall|refer|consult
            |put|enable|disable|verify|ensure|rebuild|restart|reboot|go[ ]to|look[ ]at|read|change|consider)\b )
    """,
    re.VERBOSE | re.IGNORECASE,
)
MAY_BE = late_pattern(r"(?i)\b(?:might|may|could|can) (?:also )?be (?:that )?(?:\w{1,12} ){0,3}$")
SUBJECT = late_pattern(r"(?i)\b(?:it|this|that|they|we|everything)\s(?:\w{1,12}\s){0,2}$")
"""What begins a statement of its own after "without the patch"."""
