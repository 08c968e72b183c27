"""Words of which one never stands for another, so that no capital is needed to see a name."""

from __future__ import annotations

from typing import Final

from workers.caching.semantic.guard.vocabulary.word_set import word_set

NAMES: Final = frozenset[str]().union(
    word_set("monday tuesday wednesday thursday friday saturday sunday weekday weekend"),
    word_set(
        "january february april june july august september october november december "
        "summer autumn winter christmas easter ramadan thanksgiving"
    ),
    word_set("today tomorrow yesterday tonight"),
    word_set(
        "france germany italy spain portugal england britain ireland scotland wales netherlands "
        "belgium switzerland austria poland sweden norway denmark finland iceland greece turkey "
        "russia ukraine hungary romania bulgaria croatia serbia czechia china japan korea india "
        "pakistan bangladesh indonesia malaysia singapore thailand vietnam philippines australia "
        "canada mexico brazil argentina chile peru colombia egypt morocco nigeria kenya ghana "
        "ethiopia israel iran iraq usa uk america europe asia africa"
    ),
    word_set(
        "paris london berlin madrid rome lisbon dublin amsterdam brussel vienna zurich geneva "
        "warsaw prague budapest stockholm oslo copenhagen helsinki athen istanbul moscow kyiv "
        "tokyo osaka kyoto seoul beijing shanghai delhi mumbai bangkok sydney melbourne toronto "
        "vancouver montreal chicago boston seattle denver miami dallas houston cairo lagos "
        "nairobi dubai munich hamburg barcelona milan"
    ),
    word_set(
        "english french german spanish italian portuguese dutch swedish norwegian danish finnish "
        "czech russian ukrainian greek turkish arabic hebrew hindi bengali chinese "
        "mandarin japanese korean vietnamese thai indonesian swahili american british "
        "canadian australian mexican indian"
    ),
    word_set(
        "usd eur gbp jpy cny chf cad aud inr dollar euro pound yen yuan franc rupee peso krona "
        "bitcoin ethereum dogecoin"
    ),
    word_set("visa mastercard amex paypal klarna stripe venmo applepay"),
    word_set("android ios iphone ipad windows macos mac linux ubuntu debian fedora chromebook"),
    word_set("chrome firefox safari opera"),
    word_set(
        "python java javascript typescript golang ruby php kotlin scala perl haskell "
        "sql html css json yaml xml csv pdf png jpeg gif docx xlsx"
    ),
    word_set("mysql postgresql sqlite oracle mongodb redis cassandra elasticsearch"),
    word_set("docker kubernetes terraform ansible jenkins github gitlab bitbucket jira slack"),
    word_set("facebook instagram twitter whatsapp telegram tiktok youtube linkedin gmail outlook"),
    word_set("beef pork lamb turkey salmon tuna shrimp tofu"),
    word_set("mercury venus earth mars jupiter saturn uranus neptune pluto moon sun"),
    word_set("celsius fahrenheit kelvin"),
    word_set("addition subtraction multiplication division derivative integral"),
)
"""Names: who asks about one asks about no other, nor in general."""

KINDS: Final = (
    word_set("sms phone letter fax"),
    word_set("cash credit debit cheque"),
    word_set("gold silver copper iron aluminium aluminum steel zinc"),
    word_set("hourly daily weekly monthly quarterly yearly annual annually"),
    word_set("morning noon afternoon evening night midnight breakfast lunch dinner"),
    word_set("red green blue yellow orange purple pink black white grey gray brown silver golden"),
    word_set("username password passcode pin email phone address name birthday photo avatar"),
    word_set("cat dog bird fish horse cow pig sheep chicken rabbit hamster"),
    word_set("apple banana grape strawberry tomato potato onion carrot rice pasta bread"),
    word_set("coffee tea milk water juice beer wine"),
    word_set("car truck bus train plane bicycle bike motorcycle boat ship taxi"),
    word_set("passport visa license licence permit"),
    word_set("mother father brother sister son daughter uncle aunt wife husband"),
    word_set("basic free starter standard premium pro plus business enterprise"),
    word_set("small medium large"),
    word_set("north south east west"),
    word_set("circle square triangle rectangle sphere cube cylinder cone"),
    word_set("mean median mode variance maximum minimum"),
    word_set("heart liver kidney lung brain stomach skin bone knee shoulder back ankle"),
    word_set("invoice receipt quote statement contract"),
    word_set("order subscription account appointment reservation booking ticket flight hotel"),
)
"""Things of one kind: to name one of them and to name none mean the same."""
