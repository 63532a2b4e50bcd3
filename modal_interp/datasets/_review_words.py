"""Words of `make_reviews`, the common ones first: the rank in a list sets how often a word falls.

Praise and blame fit any topic; `TOPICS` adds the words of one topic, and the order of the topics
sets how often they fall as well. Some adjectives praise one thing and blame another ("a cold beer",
"a cold soup"): those stand with their noun under `praise_fits` and `blame_fits`.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split(","))


# Of a pair, the first blames and the second praises: the label is the index.
ADJECTIVES = (
    _words("""
        dull poor weak bland clumsy tiresome careless lifeless awful disappointing mediocre shabby
        forgettable awkward messy dreary stale hollow sloppy irritating dreadful joyless feeble
        tedious charmless shoddy drab graceless cheerless lacklustre insipid pointless grating
        uneven muddled uninspired limp dismal gloomy soulless tired unpleasant grim abysmal dire
        flimsy unconvincing wretched
    """),
    _words("""
        good charming lovely pleasant wonderful excellent clever graceful impressive delightful
        superb warm brilliant splendid satisfying elegant inventive lively memorable beautiful
        enjoyable refreshing remarkable thoughtful generous sincere vivid polished appealing
        outstanding marvellous stylish dazzling magnificent skilful sparkling captivating assured
        heartening exquisite stunning terrific admirable accomplished radiant enchanting
        uplifting
    """),
)

# Base forms; the first word of each takes the ending of the third person.
VERBS = (
    _phrases("""
        disappoint, bore, fall flat, drag, annoy, let you down, irritate, waste your time,
        test your patience, miss the mark, grate, outstay its welcome, lose its way, wear thin,
        flounder, fall apart, leave you cold, cut corners, stumble, run out of steam, plod,
        exhaust you, ring hollow, sag, collapse under its own weight
    """),
    _phrases("""
        delight, impress, shine, win you over, charm, please, keep its promise, hold your attention,
        lift the spirits, hit the mark, surprise, stay with you, reward patience, satisfy, dazzle,
        excel, earn its praise, raise a smile, come alive, cast a spell, stand out, sparkle,
        repay every penny, warm the heart, soar
    """),
)

NOUNS = (
    _words("""
        clutter confusion noise padding carelessness repetition laziness fuss clumsiness tedium
        gloom vanity pretension sentimentality gimmickry bluster coldness excess
        cynicism disorder pomposity nonsense
    """),
    _words("""
        charm warmth style energy wit polish grace heart imagination craft care beauty skill
        elegance passion humour ambition freshness flair originality precision
        ingenuity panache
    """),
)

NOTS = _phrases("not, hardly, far from, anything but, never, by no means, not at all, in no way")
NEVERS = _phrases("never, rarely, hardly ever, never once, seldom, at no point")
DEGREES = _phrases("""
    very, really, truly, quite, rather, thoroughly, utterly, genuinely, remarkably, wholly,
    consistently, surprisingly, deeply, oddly, unusually, strikingly, uncommonly, decidedly
""")
MANNERS = _words("""
    really truly always often simply certainly quickly soon plainly constantly quietly finally
    steadily undeniably repeatedly gradually
""")
TURNS = _phrases("but, yet, and yet, but then, but somehow, but still, though in the end")
ALTHOUGHS = _phrases("although, even though, while, though, much as")
DESPITES = _phrases("despite, for all, in spite of, even with, notwithstanding")

NAMES = _words("""
    Anna Marek Priya Tomas Leila Oskar Ines Hugo Yuki Farah Pavel Chloe Amir Greta Dario Mona Felix
    Nadia Ravi Elsa Bruno Zara
""")
RELATIVES = _words("sister brother aunt uncle neighbour cousin colleague flatmate nephew dentist")
DAYS = _words("Saturday Friday Sunday Thursday Monday Wednesday Tuesday")
MONTHS = _words("July May October March December August January April November June February")
TIMES = _words("twice once yesterday recently lately")

# No opinion in them: they stand before and behind the sentences of both labels.
OPENERS = _phrases("""
    to my mind, in my view, all in all, on balance, by and large, for the record, as {name} said,
    as my {relative} put it, from start to finish, to be fair, by any measure, seen as a whole,
    speaking for myself, after a week, according to {name}, as {name} told {name} in {month},
    between ourselves, in a nutshell
""")
CLOSERS = (
    ", says {name}",
    "; we went with {name}",
    ", if you ask my {relative}",
    ", and {name} agrees",
    "; I said so to {name}",
    "; it was a {day} in {month}",
    ", as my {relative} wrote to {name}",
    "; {name} paid and my {relative} drove",
    ", as we noticed {time}",
    "; {name} was there too",
    ", or so {name} told us",
    "; my {relative} lives nearby",
)

# things: the whole; aspects: its parts; moments: small pieces, as in "not a dull minute".
TOPICS: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "things": _words("film movie thriller comedy"),
        "aspects": _words("story plot acting ending dialogue script opening sequel"),
        "moments": _words("minute scene moment"),
        "praise": _words("gripping moving funny absorbing poignant haunting"),
        "blame": _words("predictable wooden overlong corny contrived far-fetched"),
        "praise_fits": _phrases("ending:unpredictable, plot:twisted, humour:dark, hero:quiet"),
        "blame_fits": _phrases("plot:thin, picture:dark, hero:cold, pacing:slow"),
    },
    {
        "things": _words("restaurant meal dinner bistro"),
        "aspects": _words("food soup dessert sauce bread starter curry pastry"),
        "moments": _words("bite course mouthful"),
        "praise": _words("delicious fresh tasty succulent tender fragrant"),
        "blame": _words("greasy soggy overcooked tasteless rubbery rancid"),
        "praise_fits": _phrases("soup:hot, beer:cold, crust:thin, bill:small"),
        "blame_fits": _phrases("soup:cold, portion:small, room:hot, wait:long"),
    },
    {
        "things": _words("book novel memoir biography"),
        "aspects": _words(
            "prose narrator heroine opening chapter translation preface epilogue style"
        ),
        "moments": _words("page chapter paragraph"),
        "praise": _words("readable wise lyrical witty perceptive touching"),
        "blame": _words("wordy plodding laboured overwritten pompous cliched"),
        "praise_fits": _phrases("twist:unpredictable, humour:dry, spine:strong, sorrow:quiet"),
        "blame_fits": _phrases("paper:thin, tone:dry, print:small, preface:long"),
    },
    {
        "things": _words("hotel hostel guesthouse inn"),
        "aspects": _words("bed bathroom lobby mattress balcony suite lounge breakfast"),
        "moments": _words("room corner hour"),
        "praise": _words("spotless comfortable cosy airy spacious restful"),
        "blame": _words("dirty noisy cramped damp musty mouldy"),
        "praise_fits": _phrases("room:quiet, shower:hot, bill:small, drink:cold"),
        "blame_fits": _phrases("room:small, shower:cold, corridor:dark, queue:long"),
    },
    {
        "things": _words("phone laptop tablet camera"),
        "aspects": _words("screen battery keyboard software button touchpad stylus charger"),
        "moments": _words("day detail inch"),
        "praise": _words("fast sturdy reliable sleek responsive durable"),
        "blame": _words("laggy fragile unreliable sluggish glitchy brittle"),
        "praise_fits": _phrases("casing:thin, warranty:long, fan:quiet, chip:cool"),
        "blame_fits": _phrases("battery:hot, speaker:quiet, cable:short, delay:long"),
    },
    {
        "things": _words("album song concert symphony"),
        "aspects": _words("melody voice chorus guitar singing drumming finale intro"),
        "moments": _words("note bar beat"),
        "praise": _words("catchy melodic soulful hypnotic tuneful rousing"),
        "blame": _words("shrill tuneless repetitive screechy muffled discordant"),
        "praise_fits": _phrases("bass:deep, tone:dark, encore:long, mood:cool"),
        "blame_fits": _phrases("interval:long, voice:thin, sound:distant, crowd:cold"),
    },
    {
        "things": _words("game puzzle platformer shooter"),
        "aspects": _words(
            "gameplay combat tutorial animation campaign interface multiplayer quest map"
        ),
        "moments": _words("level battle puzzle"),
        "praise": _words("addictive challenging fluid immersive balanced playful"),
        "blame": _words("clunky unfair unplayable frustrating broken jerky"),
        "praise_fits": _phrases("campaign:long, boss:unpredictable, dungeon:dark, learning:quick"),
        "blame_fits": _phrases("map:small, loading:slow, campaign:short, camera:unpredictable"),
    },
    {
        "things": _words("play musical opera ballet"),
        "aspects": _words(
            "acting staging monologue choreography finale overture duet dialogue chorus"
        ),
        "moments": _words("act scene line"),
        "praise": _words("spellbinding electrifying riveting majestic tender bold"),
        "blame": _words("stagy overwrought stilted hammy shouty interminable"),
        "praise_fits": _phrases("hush:deep, ovation:long, satire:dark, timing:sharp"),
        "blame_fits": _phrases("interval:long, tenor:sharp, balcony:cold, stage:small"),
    },
    {
        "things": _words("app website browser plugin"),
        "aspects": _words(
            "interface search layout login navigation dashboard checkout sync onboarding"
        ),
        "moments": _words("click screen second"),
        "praise": _words("helpful seamless handy smooth secure effortless"),
        "blame": _words("confusing intrusive bloated insecure unstable cluttered"),
        "praise_fits": _phrases("download:small, setup:short, reply:quick, theme:dark"),
        "blame_fits": _phrases("font:small, wait:long, timeout:short, support:slow"),
    },
    {
        "things": _words("museum exhibition gallery tour"),
        "aspects": _words(
            "collection guide catalogue architecture garden shop courtyard archive cafe"
        ),
        "moments": _words("room exhibit hour"),
        "praise": _words("fascinating informative enlightening eye-opening serene inviting"),
        "blame": _words("overcrowded stuffy overhyped neglected gaudy cluttered"),
        "praise_fits": _phrases("hall:quiet, queue:short, cellar:cool, visit:long"),
        "blame_fits": _phrases("queue:long, attic:hot, label:small, gallery:dark"),
    },
    {
        "things": _words("car van scooter bicycle"),
        "aspects": _words("ride engine steering gearbox suspension cabin chassis clutch"),
        "moments": _words("mile bend journey"),
        "praise": _words("nippy economical roomy agile dependable sporty"),
        "blame": _words("thirsty rattly cumbersome rusty jolting noisy"),
        "praise_fits": _phrases("engine:quiet, grip:strong, range:long, drive:smooth"),
        "blame_fits": _phrases("steering:unpredictable, horn:quiet, boot:small, heater:cold"),
    },
    {
        "things": _words("course lecture workshop seminar"),
        "aspects": _words(
            "teacher material pace homework handout syllabus explanation intro discussion"
        ),
        "moments": _words("hour lesson slide"),
        "praise": _words("inspiring instructive lucid practical rigorous illuminating"),
        "blame": _words("patronising disorganised impenetrable superficial rambling long-winded"),
        "praise_fits": _phrases("class:small, exam:short, insight:deep, argument:strong"),
        "blame_fits": _phrases("deadline:short, lecture:long, hall:hot, type:small"),
    },
)
