"""Words that say the same in a question, and words that say nothing by themselves."""

from __future__ import annotations

from typing import Final

from workers.caching.semantic.guard.vocabulary.word_set import word_set

LIGHT: Final = word_set(
    "a able about according actually again all allowed along also always am an and another "
    "answer any anyone anything are around as ask at available away be because become been "
    "being best better both brief briefly but by can cannot certain come command could current "
    "currently describe detail did do does doing done each either else even ever every exactly "
    "exist explain far feature find for from get getting give go going good got had happen has "
    "have hello help here hi how i if in instead into is it its just kind kindly know learn let "
    "like look made main make many may me mean might move much must my need no not now of offer "
    "often ok okay on one onto or our out own people per permitted please possible possibly "
    "process proper provide put question really reason recommended require required requires "
    "run s see serve several shall shortcut should show simple so some somebody someone "
    "something soon step steps still such suitable supposed sure take tell than thank thanks "
    "that the their them then there these they thing this those through thus to together too "
    "try typical up us use using usual usually very via want was way ways we well were what "
    "when where whether which while who whom whose why will wish with within wonder wondering "
    "would year yet you your yourself"
)

DECISIVE: Final = word_set(
    "add approve arrange ban block book borrow buy cancel change charge check clear close "
    "connect copy create decrease delete deliver deny deposit disable disconnect dispute "
    "download edit enable exchange expire export extend first freeze grow hide hire import "
    "increase instead insure join keep last leave limit lock lose measure merge move mute never "
    "next only open pause pay place previous print reject remove rename renew repair repeat "
    "replace report reset restore resume return reverse sell send share sort split start stop "
    "swap track transfer undo unlock update upgrade upload used verify withdraw write"
)
"""What changes the question even where it is only added: "cancel my request for leave"."""

SYNONYMS: Final[tuple[str, ...]] = (
    "parcel package shipment packet",
    "ship deliver delivery dispatch",
    "buy purchase bought acquire",
    "order purchase",
    "cancel end terminate stop quit discontinue",
    "delete remove erase close",
    "enable activate turn switch on",
    "disable deactivate turn switch off stop",
    "change update modify edit alter replace switch different new",
    "reset recover forgot forgotten lost",
    "password passcode passphrase",
    "picture photo image avatar",
    "refund reimburse reimbursement money",
    "return send back",
    "cost price charge expensive fee pay worth",
    "bill charge invoice debit",
    "invoice bill receipt",
    "plan subscription tier",
    "discount reduction rebate",
    "student pupil",
    "log sign login signin",
    "user people person member",
    "share sharing access",
    "card",
    "add attach another insert",
    "begin start launch commence",
    "show display view see",
    "fix repair mend solve",
    "broken damaged defective faulty",
    "slow slower slowest slowly sluggish",
    "fast faster fastest quick quicker quickest quickly speed rapid",
    "install setup set get",
    "upgrade update move",
    "download export save copy",
    "upload import",
    "convert turn change transform parse",
    "string str text",
    "integer int",
    "reverse invert",
    "difference differ distinguish distinguishes compare",
    "function method command code",
    "error fault failure exception",
    "error code status response",
    "undo revert",
    "last latest recent newest",
    "running active run",
    "never infinite forever endless",
    "client customer",
    "company office firm corporate business",
    "connect access join",
    "notification alert",
    "phone mobile telephone cellphone",
    "app application program",
    "storage space capacity",
    "luggage baggage bag",
    "allowance limit maximum most allowed",
    "raise increase higher up lift",
    "lower reduce decrease down bring",
    "cheap cheapest least",
    "flight fly plane",
    "trip journey travel",
    "hotel accommodation",
    "room",
    "date day time",
    "year",
    "dog puppy",
    "bring take carry",
    "distance far kilometre kilometer",
    "transfer move send",
    "money fund cash",
    "withdraw withdrawal cash",
    "daily day",
    "block lock freeze",
    "stolen theft",
    "dispute contest challenge",
    "transaction payment charge",
    "mortgage",
    "document paper",
    "online internet web",
    "open apply",
    "interest rate",
    "schedule plan set arrange book reserve make appointment",
    "meeting call",
    "doctor physician gp",
    "appointment visit",
    "symptom sign recognise recognize",
    "side unwanted effect cause",
    "sleep rest",
    "medicine medication drug tablet pill",
    "food meal eat eating",
    "boil cook cooking boiled",
    "minute",
    "butter",
    "substitute replace instead",
    "store keep stored",
    "bake baking",
    "temperature hot",
    "capital city",
    "build built construct",
    "write wrote author writer written",
    "tall high height",
    "president head",
    "calculate compute",
    "translate say",
    "vacation holiday leave",
    "salary pay paid wage payday",
    "request ask",
    "home remote remotely",
    "boss manager report",
    "submit hand send file",
    "expense",
    "rent",
    "landlord owner",
    "legal law legally lawful",
    "record tape",
    "call telephone",
    "data information",
    "keep store retain retention stored",
    "period long time",
    "heating heat warm warmer",
    "plant",
    "little low",
    "manual manually hand",
    "check look see",
    "usage used use consumption",
    "provider carrier operator",
    "extra additional more",
    "unlock locked",
    "team colleague coworker",
    "folder directory",
    "contact address",
    "website site page",
    "amount number quantity",
    "country nation",
    "colour color",
    "film movie",
    "car automobile vehicle",
    "big large huge",
    "small little tiny",
    "job work position",
    "kid child",
    "house home flat apartment",
    "shop store",
    "holiday vacation",
    "begin start open",
    "accept take support",
    "payment pay",
    "method option means",
    "permit allow",
    "combine merge join",
    "permanently good forever",
    "twice two",
    "stock available",
    "warranty guarantee",
    "track follow trace",
    "item product article goods",
    "after once",
    "fail failure decline",
    "sort order",
)
