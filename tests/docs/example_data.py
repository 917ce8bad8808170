"""Small files for pages of the documentation that do not show their data."""

from __future__ import annotations

from pathlib import Path

TABLES = {
    "web_page_view": """
page_view_id,session_id,visitor_id,viewed_at,section,engagement_seconds,content_id
1,s1,ann,2026-01-05 09:00:00,blog,30,post-1
2,s1,ann,2026-01-05 09:02:00,shop,,
3,s2,bob,2026-01-20 12:00:00,blog,90,post-2
4,s3,ann,2026-02-11 18:00:00,blog,60,post-1
""",
    "web_session": """
id,started_at,channel,landing_path,device
s1,2026-01-05 09:00:00,search,/blog/first,phone
s2,2026-01-20 12:00:00,email,/,desktop
s3,2026-02-11 18:00:00,email,/blog/first,phone
""",
    "content_item": """
content_id,title,author,published_at
post-1,First,Ada,2026-01-01
post-2,Second,Ben,2026-01-10
""",
    "lead": """
lead_id,created_at,mql_at,sal_at,contacted_at,channel
1,2026-01-03 10:00:00,2026-01-08 10:00:00,2026-01-10 10:00:00,2026-01-12 10:00:00,search
2,2026-01-15 10:00:00,2026-02-02 10:00:00,,,email
3,2026-02-01 10:00:00,,,,email
""",
    "purchase": """
purchase_id,purchased_on,listing_id,channel,amount,currency
1,2026-01-05,a,search,20.00,EUR
2,2026-01-25,a,email,30.00,EUR
3,2026-02-20,b,email,10.00,EUR
""",
    "sale": """
sale_id,sold_on,shop,amount,currency
1,2026-01-02,north,100.00,EUR
2,2026-01-03,south,50.00,USD
3,2026-01-05,south,50.00,USD
4,2026-01-05,north,10.00,GBP
""",
    "exchange_rate": """
currency,into_currency,valid_from,rate
USD,EUR,2026-01-02,0.90
USD,EUR,2026-01-05,0.80
EUR,GBP,2026-01-02,0.80
""",
    "listing_history": """
listing_id,active_from,active_to,price_band
a,2025-01-01,2026-01-15,low
a,2026-01-15,,high
b,2025-01-01,,low
""",
    "social_account_snapshot": """
account_id,network,captured_on,followers
blue,alpha,2026-01-10,100
green,beta,2026-01-20,50
blue,alpha,2026-02-15,120
""",
    "share_counter": """
post_id,network,captured_on,shares
p1,alpha,2025-12-31,5
p1,alpha,2026-01-31,12
p2,beta,2026-01-20,4
""",
    "clip": """
clip_id,published_on,brand
1,2026-01-04,ours
2,2026-01-05,rival
3,2026-01-19,rival
4,2026-02-02,ours
""",
    "link_edge": """
source,target
/,/blog
/blog,/
/blog,/shop
""",
}


def write(folder: Path = Path("data")) -> None:
    """Write all the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text.lstrip(), encoding="utf-8")
