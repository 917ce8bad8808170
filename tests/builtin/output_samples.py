"""A scorecard of six roles as the outputs are given it: realistic numbers, and everything that can go wrong."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

from kpi_engine.api import Breakdown, Card, Column, Comparison, Failure, Measure, Report, Section, Trend
from kpi_engine.api.formatting import verdict

HOSTILE = "\"><img src=x onerror='alert(1)'><script>alert(1)</script>{{ 7*7 }}"
NOTICES = {
    "en": "Sample data: every number on this page is made up.",
    "fr": "Données d’exemple : tous les chiffres de cette page sont inventés.",
}
AVE_NOTICE = {
    "en": "The profession has discredited this measure: it says what space would have cost, not what coverage achieved.",
    "fr": "La profession déconseille cette mesure : elle dit le prix de l’espace, pas l’effet des retombées.",
}
GROUPS = {
    "communication": {"en": "Communications", "fr": "Communication"},
    "digital": {"en": "Digital marketing", "fr": "Marketing digital"},
}
ROLES = {
    "content_creator": ("communication", "Content creators", "Créateurs de contenu"),
    "social_media_manager": ("communication", "Social media managers", "Responsables des réseaux sociaux"),
    "pr_manager": ("communication", "PR managers", "Chargés des RP"),
    "demand_manager": ("digital", "Marketing campaigns managers", "Responsables des actions marketing"),
    "web_marketing_manager": ("digital", "Web marketing managers", "Responsables Web Marketing"),
    "seo_manager": ("digital", "SEO managers", "Responsables SEO"),
}
# role | id | English | French | unit | format | better | value | what it counts, in English | in French
KPIS = """
content_creator|blog_unique_visitors|Blog unique visitors|Visiteurs uniques du blog|visitors|integer|higher|18432|People who viewed at least one page of the blog.|Personnes ayant vu au moins une page du blog.
content_creator|blog_post_shares|Blog post social shares|Partages des articles|shares|integer|higher|1274|Shares of blog posts on social networks, gained in the period.|Partages des articles sur les réseaux sociaux, gagnés sur la période.
content_creator|blog_avg_time|Average time on blog|Temps moyen passé sur le blog|seconds|duration|higher|142|Time with the page in view, per visit that reached the blog.|Temps de lecture effectif, par visite passée par le blog.
content_creator|blog_traffic_share|Blog share of site traffic|Part du blog dans le trafic||percent|higher|0.384|Visits with a blog page, of all visits.|Visites avec une page du blog, sur toutes les visites.
content_creator|returning_visitors|Returning visitors|Visiteurs récurrents|visitors|integer|higher|6210|Visitors who had been on the site before.|Visiteurs déjà venus sur le site.
social_media_manager|social_community_size|Community size|Taille de la communauté|followers|integer|higher|52871|Followers of all own accounts at the end of the period.|Abonnés de tous les comptes à la fin de la période.
social_media_manager|social_engagement_total|Total engagement|Engagement global|interactions|integer|higher|24310|Likes, comments, shares and reposts of the posts of the period.|J’aime, commentaires, partages et republications des publications de la période.
social_media_manager|social_engagement_per_post|Average engagement per post|Engagement moyen par publication|interactions / posts|number|higher|118.6|Engagement divided by the number of posts.|Engagement divisé par le nombre de publications.
social_media_manager|social_mentions|Social mentions|Mentions sur les réseaux|mentions|integer|higher|842|Times that users named the company on a social network.|Nombre de fois où des utilisateurs ont cité l’entreprise.
social_media_manager|social_positive_mention_share|Positive mention share|Part de mentions positives||percent|higher|0.471|Positive mentions, of those with a sentiment.|Mentions positives, sur celles dont la tonalité est connue.
social_media_manager|social_negative_mention_share|Negative mention share|Part de mentions négatives||percent|lower|0.118|Negative mentions, of those with a sentiment.|Mentions négatives, sur celles dont la tonalité est connue.
social_media_manager|social_roi|Social media ROI|ROI des réseaux sociaux||percent|higher|0.64|Value attributed to social media less its cost, over its cost.|Valeur attribuée aux réseaux moins leur coût, rapportée à leur coût.
pr_manager|media_coverage|Media coverage|Couverture médiatique|clips|integer|higher|187|Articles and broadcasts that mention the company.|Retombées presse obtenues par l’entreprise.
pr_manager|share_of_voice|Share of voice|Part de voix||percent|higher|0.263|Own coverage, of the coverage of all competitors together.|Couverture de l’entreprise, sur celle de tous les concurrents.
pr_manager|potential_reach|Potential reach|Portée potentielle|contacts|integer|higher|14820400|Readership of the outlets, summed over clips: not unique people.|Lectorat des médias, sommé sur les retombées : pas des personnes uniques.
pr_manager|media_positive_share|Positive coverage share|Tonalité positive||percent|higher|0.512|Positive clips, of those with a label.|Retombées positives, sur celles qualifiées.
pr_manager|media_negative_share|Negative coverage share|Tonalité négative||percent|lower|0.094|Negative clips, of those with a label.|Retombées négatives, sur celles qualifiées.
pr_manager|media_net_sentiment|Net sentiment|Solde de tonalité||number|higher|0.418|Positive less negative, from −1 to +1.|Positives moins négatives, de −1 à +1.
pr_manager|ave|Advertising value equivalency (AVE)|AVE (équivalence publicitaire)|EUR|currency|higher|412300|What the space would have cost as advertising.|Ce qu’auraient coûté les retombées en encarts publicitaires.
demand_manager|direct_requests|Direct requests|Requêtes directes|requests|integer|higher|1096|Downloads, webinar registrations and subscriptions.|Téléchargements, inscriptions aux webinaires et abonnements.
demand_manager|mqls|Marketing qualified leads|Leads qualifiés par le marketing (MQL)|leads|integer|higher|438|Leads that marketing qualified in the period.|Leads qualifiés par le marketing sur la période.
demand_manager|sales_accepted_leads|Sales accepted and contacted leads|Leads acceptés et contactés par les commerciaux|leads|integer|higher|291|Leads that sales accepted and contacted.|Leads acceptés et contactés par les commerciaux.
demand_manager|new_customers|Leads converted to customers|Leads devenus clients|customers|integer|higher|64|Leads that became customers in the period.|Leads devenus clients sur la période.
demand_manager|lead_to_mql_rate|Inquiry-to-MQL rate|Taux requête → MQL||percent|higher|0.412|Of the leads created in the period, those qualified since.|Parmi les leads créés sur la période, ceux qualifiés depuis.
demand_manager|mql_to_sal_rate|MQL-to-SAL rate|Taux MQL → SAL||percent|higher|0.664|Of those qualified, those accepted and contacted since.|Parmi les qualifiés, ceux acceptés et contactés depuis.
demand_manager|sal_to_customer_rate|SAL-to-customer rate|Taux SAL → client||percent|higher|0.22|Of those accepted, those who became customers since.|Parmi les acceptés, ceux devenus clients depuis.
demand_manager|lead_to_customer_rate|Inquiry-to-customer rate|Taux requête → client||percent|higher|0.0604|Of the leads created in the period, customers since.|Parmi les leads créés sur la période, les clients depuis.
web_marketing_manager|visits|Visits|Visites|visits|integer|higher|64218|Sessions begun in the period.|Sessions commencées sur la période.
web_marketing_manager|unique_visitors|Unique visitors|Visiteurs uniques|visitors|integer|higher|41877|Visitors counted once in the period.|Visiteurs comptés une seule fois sur la période.
web_marketing_manager|site_conversion_rate|Site conversion rate|Taux de conversion du site||percent|higher|0.0262|Direct requests, over unique visitors.|Requêtes directes, sur les visiteurs uniques.
web_marketing_manager|cost_per_conversion|Cost per conversion|Coût par conversion|EUR / request|currency|lower|38.42|Spend on campaigns, over direct requests.|Dépenses de campagne, sur les requêtes directes.
web_marketing_manager|visits_by_channel|Visits by channel|Visites par canal|visits|integer|higher|64218|Sessions begun in the period, by the channel that brought them.|Sessions commencées sur la période, par canal d’arrivée.
seo_manager|organic_search_visits|Organic search visits|Trafic de recherche organique|visits|integer|higher|27340|Visits that came from unpaid search results.|Visites venues des résultats de recherche non payants.
seo_manager|organic_search_conversions|Organic search conversions|Conversions organiques|requests|integer|higher|402|Direct requests of those visits.|Requêtes directes issues de ces visites.
seo_manager|organic_conversion_rate|Organic conversion rate|Taux de conversion organique||percent|higher|0.0147|Organic conversions, over organic visits.|Conversions organiques, sur les visites organiques.
seo_manager|page_rank|PageRank (own computation)|PageRank (calculé)||number|higher|0.0375|Rank of the site in the graph of links; all ranks sum to 1.|Rang du site dans le graphe des liens ; la somme des rangs vaut 1.
seo_manager|domain_authority|Domain authority|Autorité de domaine|points|number|higher|41.5|How search engines rate the domain, from 0 to 100.|L’importance du domaine aux yeux des moteurs, de 0 à 100.
"""
CHANNELS = [
    ("organic_search", 27340), ("direct", 14102), ("paid_search", 9870), ("social", 6415), ("email", 4120), ("referral", 1871),
    (None, 500),
]  # fmt: skip
LABELS = {"en": ("Q2 2026", "Q3 2025", "Q3 2026"), "fr": ("T2 2026", "T3 2025", "T3 2026")}


def scorecard(
    language: str = "en", *, unfinished: bool = False, hostile: bool = False, troubled: bool = True
) -> Report:
    """Six roles, 37 KPIs; `troubled` adds a failure, unknown values, and zero bases; `hostile` puts markup into every text."""
    cards = [_card(line.split("|"), language) for line in KPIS.strip().splitlines()]
    if troubled:
        cards = [_troubled(card) for card in cards]
    if hostile:
        cards = [_hostile(card) for card in cards]
    roles = [line.split("|")[0] for line in KPIS.strip().splitlines()]
    return Report(
        title=HOSTILE
        if hostile
        else {"en": "Marketing scorecard · Acme", "fr": "Tableau de bord marketing · Acme"}[language],
        language=language,
        period=HOSTILE if hostile else LABELS[language][2],
        sections=tuple(
            _section(
                role,
                language,
                tuple(card for card, of in zip(cards, roles, strict=True) if of == role),
                hostile=hostile,
            )
            for role in ROLES
        ),
        as_of=datetime(2026, 9, 17, 8, 30, tzinfo=UTC) if unfinished else datetime(2026, 10, 1, 0, 0, tzinfo=UTC),
        unfinished=unfinished,
        notices=(HOSTILE if hostile else NOTICES[language],),
        currency="EUR",
    )


def table(*, totals: bool = True, failures: bool = False) -> Report:
    """The answer to a request: visits and conversion rate by channel and month."""
    visits = Measure("visits", "Visits", unit="visits", format="integer", better="higher", additivity="additive")
    rate = Measure("site_conversion_rate", "Site conversion rate", format="percent", better="higher")
    columns = (
        Column("channel", "Channel", "dimension"),
        Column("period", "Period", "period", grain="month"),
        Column("visits", "Visits", "value", visits),
        Column("visits__previous_year", "Visits, July 2025", "earlier", visits),
        Column("visits__previous_year_change", "Visits, change", "change", visits),
        Column("site_conversion_rate", "Site conversion rate", "value", rate),
        Column("site_conversion_rate__previous_year_points", "Site conversion rate, points", "points", rate),
    )
    rows = (
        ("email", date(2026, 7, 1), 1373, 1201, 0.1432, 0.031, 0.004),
        ("=cmd|' /C calc'!A0", date(2026, 7, 1), -5, 0, None, None, None),
        ("\x1b[31mred\u202e", date(2026, 8, 1), 2**60, 10, 1.5, 0.0004, -0.001),
        (None, date(2026, 9, 1), 0, 0, None, Decimal("0.125"), 0.0),
    )
    failed = {"visits_lost": Failure("unknown_column", "column `lost` is not there", "did you mean `cost`?")}
    section = Section(
        "Visits",
        table=Breakdown(columns, rows, (None, None, 2**60 + 1368, 1211, 0.2, 0.03, 0.003) if totals else None),
        failures=failed if failures else {},
    )
    return Report("Visits by channel", "en", "Q3 2026", (section,), datetime(2026, 10, 1, tzinfo=UTC), currency="EUR")


def _section(role: str, language: str, cards: tuple[Card, ...], *, hostile: bool) -> Section:
    group, english, french = ROLES[role]
    title = french if language == "fr" else english
    return Section(HOSTILE if hostile else title, GROUPS[group][language], f"{role}{HOSTILE if hostile else ''}", cards)


def _card(spec: list[str], language: str) -> Card:
    _, kpi, english, french, unit, form, better, value, about, about_french = spec
    deprecated = kpi == "ave"
    measure = Measure(
        kpi,
        french if language == "fr" else english,
        about_french if language == "fr" else about,
        unit,
        form,  # type: ignore[arg-type]
        better=better,  # type: ignore[arg-type]
        status="deprecated_practice" if deprecated else "active",
        notice=AVE_NOTICE[language] if deprecated else "",
    )
    now = int(value) if form == "integer" else Decimal(value) if form == "currency" else float(value)
    random = Random(kpi)  # noqa: S311 - made-up numbers, the same each time
    before, year = (_earlier(now, random, drift, spread) for drift, spread in ((0.02, 0.09), (0.12, 0.16)))
    comparisons = tuple(
        _comparison(measure, now, earlier, name, label)
        for earlier, name, label in ((before, "previous_period", 0), (year, "previous_year", 1))
        for label in (LABELS[language][label],)
    )
    flow = form == "integer" and kpi != "social_community_size"
    trend = Trend("month", tuple(_points(random, float(now) / (3 if flow else 1))))
    if kpi == "visits_by_channel":
        return Card(measure, breakdown=_channels(measure, language))
    return Card(measure, now, comparisons, trend)


def _earlier(now, random: Random, drift: float, spread: float):
    earlier = float(now) / (1 + drift + random.uniform(-spread, spread))
    return round(earlier) if isinstance(now, int) else type(now)(f"{earlier:.4f}")


def _comparison(measure: Measure, now, earlier, name, label) -> Comparison:
    points = measure.format == "percent" or measure.id == "media_net_sentiment"
    change = float(now - earlier) if points else float(now) / float(earlier) - 1
    return Comparison(name, label, earlier, change, "points" if points else "relative", verdict(change, measure.better))


def _points(random: Random, level: float):
    for month in range(24):
        season = 1 + 0.07 * math.sin(month / 12 * 2 * math.pi) + random.uniform(-0.05, 0.05)
        dip = 0.82 if month == 16 else 1.0
        yield date(2024 + (month + 9) // 12, (month + 9) % 12 + 1, 1), level * (0.72 + 0.0125 * month) * season * dip


def _channels(measure: Measure, language: str) -> Breakdown:
    names = {"en": ("Channel", "Visits", "change"), "fr": ("Canal", "Visites", "évolution")}[language]
    previous, year, _ = LABELS[language]
    columns = (
        Column("channel", names[0], "dimension"),
        Column(measure.id, names[1], "value", measure),
        Column(f"{measure.id}__previous_period", previous, "earlier", measure),
        Column(f"{measure.id}__previous_period_change", f"{previous}, {names[2]}", "change", measure),
        Column(f"{measure.id}__previous_year", year, "earlier", measure),
        Column(f"{measure.id}__previous_year_change", f"{year}, {names[2]}", "change", measure),
    )
    random = Random(1)  # noqa: S311
    rows = []
    for name, visits in (*CHANNELS, ("total", sum(visits for _, visits in CHANNELS))):
        before, earlier = _earlier(visits, random, 0.02, 0.1), _earlier(visits, random, 0.14, 0.2)
        rows.append((name, visits, before, visits / before - 1, earlier, visits / earlier - 1))
    return Breakdown(columns, tuple(rows[:-1]), (None, *rows[-1][1:]))


def _troubled(card: Card) -> Card:
    measure = card.measure
    if measure.id == "social_roi":
        message = "no rate for USD on 2026-08-14 in `currency_rates`, which `social_spend` needs"
        return Card(measure, failure=Failure("missing_rate", message, "add the rate, or split by currency"))
    if measure.id == "share_of_voice":
        none = tuple(Comparison(c.name, c.label, None, None, c.kind) for c in card.comparisons)
        return Card(measure, None, none, Trend("month", tuple((day, None) for day, _ in card.trend.points)))
    if measure.id == "domain_authority":
        points = tuple((day, None if 5 < n < 9 or n < 2 else value) for n, (day, value) in enumerate(card.trend.points))
        zero = Comparison("previous_year", card.comparisons[1].label, 0, None, "relative")
        return Card(measure, card.value, (card.comparisons[0], zero), Trend("month", points))
    return card


def _hostile(card: Card) -> Card:
    old = card.measure
    measure = Measure(
        old.id + HOSTILE, HOSTILE, HOSTILE, HOSTILE, old.format, None, old.better, old.additivity, "deprecated", HOSTILE
    )
    table = card.breakdown
    if table:
        columns = tuple(Column(c.key, HOSTILE, c.role, measure if c.measure else None) for c in table.columns)
        rows = tuple(
            (name, *row[1:]) for name, row in zip((HOSTILE, "javascript:alert(1)", *"abcde"), table.rows, strict=True)
        )
        return Card(measure, breakdown=Breakdown(columns, rows, table.totals))
    failure = card.failure and Failure(HOSTILE, HOSTILE, HOSTILE)
    comparisons = tuple(Comparison(c.name, HOSTILE, c.value, c.change, c.kind, c.verdict) for c in card.comparisons)
    return Card(measure, HOSTILE if old.id == "page_rank" else card.value, comparisons, card.trend, failure=failure)
