-- Visits, page views and conversions, from the days and the posts. Made of whole numbers only, so that every machine and
-- every version of DuckDB gives the same rows. Given: days, posts.

-- A number scattered over 0 to 2^32 - 1, from a number of that range; different numbers stay different.
create macro scatter_once(x) as ((xor(x >> 16, x) * 73244475) & 4294967295);
create macro scatter(x) as xor(scatter_once(scatter_once(x)) >> 16, scatter_once(scatter_once(x)));
-- The n-th throw of the dice of a scattered number: from 0 up to, not including, 1.
create macro throw(h, n) as scatter(xor(h, (n::bigint * 668265263) & 4294967295)) / 4294967296.0;
create macro whole(x) as cast(floor(x) as bigint);
-- One of a list, each as likely as the other.
create macro pick(items, chance) as items[1 + whole(chance * len(items))];

create table visitor as
with arrival as (
  select *, unnest(range(arrivals + campaign_arrivals)) as place from days
), numbered as (
  select first_visitor + place as visitor, day as first_day, place >= arrivals as by_campaign from arrival
)
select *, scatter(visitor) as h from numbered;

-- The days on which a visitor may come again: most never do, a few often. Busy days see more of them.
create table come_back as
with loyal as (
  select *, case when throw(h, 1) < 0.58 then 0 when throw(h, 1) < 0.80 then 2 when throw(h, 1) < 0.94 then 6
                 when throw(h, 1) < 0.99 then 16 else 44 end as tries from visitor
), tried as (
  select visitor, h, first_day, tries, unnest(range(1, tries + 1)) as try from loyal
), dated as (
  select visitor, try, scatter(visitor * 128 + try) as h,
    first_day + 1 + whole(throw(scatter(visitor * 128 + try), 1) * throw(scatter(visitor * 128 + try), 2)
                          * case when tries > 6 then 420 else 90 end) as day
  from tried
)
select dated.visitor, min(dated.try) as try, dated.day
from dated join days on days.day = dated.day
where throw(dated.h, 3) < days.shape * 0.7
group by dated.visitor, dated.day;

create table visit_start as
with chosen as (
  select visitor, 0 as try, first_day as day, by_campaign from visitor
  union all
  select visitor, try, day, false from come_back
), hashed as (
  select *, scatter(visitor * 128 + try) as h from chosen
), timed as (
  select *, 3600 * pick([0, 1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11,
      11, 11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 14, 14, 14, 15, 15, 15, 15, 15, 15, 15, 16, 16, 16, 16, 16, 16, 17, 17,
      17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20, 20, 20, 21, 21, 21, 22, 22, 23], throw(h, 4))
    + whole(throw(h, 5) * 3600) as second
  from hashed
), again as (
  -- Some come back later the same day.
  select * from timed
  union all
  select visitor, try + 64, day, by_campaign, scatter(visitor * 128 + try + 64), second + 9000 + whole(throw(h, 7) * 20000)
  from timed where throw(h, 6) < 0.07
)
select visitor, try, h, again.day, by_campaign, days.midnight + second as started
from again join days on days.day = again.day
where days.tracked and second < days.last_second;

-- Visits of one visitor are hours apart, and numbered over the whole history.
create table visit as
with spaced as (
  select *, started - lag(started) over (partition by visitor order by started, try) as pause from visit_start
), numbered as (
  select *, row_number() over (partition by visitor order by started, try) as number from spaced where pause is null or pause >= 7200
), described as (
  select numbered.*, scatter(visitor) as vh, number = 1 as is_new, days.weekday, days.in_campaign, days.post_count, days.month
  from numbered join days on days.day = numbered.day where numbered.day >= 0
), channelled as (
  select *, case
      when by_campaign and number = 1 then 'paid_social'
      when throw(h, 10) < 0.011 then null
      when is_new then case when throw(h, 11) < 0.43 then 'organic_search' when throw(h, 11) < 0.60 then 'direct'
        when throw(h, 11) < 0.74 then 'paid_search' when throw(h, 11) < 0.82 then 'referral' when throw(h, 11) < 0.91 then 'organic_social'
        when throw(h, 11) < 0.965 then 'paid_social' else 'email' end
      when throw(h, 12) < case when weekday in (2, 4) then 0.29 else 0.15 end then 'email'
      else case when throw(h, 11) < 0.44 then 'direct' when throw(h, 11) < 0.77 then 'organic_search' when throw(h, 11) < 0.86 then 'organic_social'
        when throw(h, 11) < 0.93 then 'paid_search' when throw(h, 11) < 0.98 then 'referral' else 'paid_social' end
    end as channel
  from described
), converting as (
  select *,
    case when throw(h, 13) < 0.40 then 1 when throw(h, 13) < 0.62 then 2 when throw(h, 13) < 0.76 then 3 when throw(h, 13) < 0.85 then 4
         when throw(h, 13) < 0.91 then 5 else 6 + whole(throw(h, 14) * throw(h, 15) * 8) end as views,
    throw(h, 16) < case channel when 'email' then 0.040 when 'paid_search' then 0.036 when 'referral' then 0.029 when 'direct' then 0.026
        when 'paid_social' then 0.036 when 'organic_search' then 0.018 when 'organic_social' then 0.025 else 0.018 end
      * case when throw(vh, 2) < 0.33 then 0.70 else 1.05 end * case when in_campaign and channel = 'paid_social' then 1.6 else 1.0 end as converts,
    throw(h, 17) < 0.0022 * case when number > 1 then 1.8 else 0.5 end as buys
  from channelled
), typed as (
  select *, case when not converts then null
      when in_campaign and throw(h, 18) < case when channel = 'paid_social' then 0.7 else 0.3 end then 'webinar_signup'
      when throw(h, 19) < 0.34 then 'ebook_download' when throw(h, 19) < 0.53 then 'webinar_signup'
      when throw(h, 19) < 0.80 then 'blog_subscription' when throw(h, 19) < 0.92 then 'demo_request' else 'contact_request' end as request
  from converting
)
select *,
  row_number() over (order by started, visitor, try) as visit,
  case request when 'ebook_download' then 'guide' when 'webinar_signup' then 'webinar' when 'blog_subscription' then 'blog'
    when 'demo_request' then 'demo' when 'contact_request' then 'contact' else case when buys then 'pricing' end end as goal,
  case channel
    when 'organic_search' then pick(['blog', 'blog', 'blog', 'blog', 'blog', 'home', 'home', 'product', 'guide', 'help'], throw(h, 20))
    when 'direct' then pick(['home', 'home', 'home', 'home', 'home', 'product', 'pricing', 'help', 'help', 'blog'], throw(h, 20))
    when 'paid_search' then pick(['product', 'product', 'product', 'pricing', 'demo', 'home'], throw(h, 20))
    when 'email' then pick(['blog', 'blog', 'blog', 'webinar', 'guide', 'product'], throw(h, 20))
    when 'organic_social' then pick(['blog', 'blog', 'blog', 'home', 'company'], throw(h, 20))
    when 'paid_social' then pick(['guide', 'webinar', 'product', 'webinar'], throw(h, 20))
    else pick(['home', 'product', 'customers', 'blog'], throw(h, 20)) end as landing
from typed;

-- Page views: the landing page, then others; a request is made on its own page. A page is read until the next is opened.
create table page_view as
with place as (
  select visit, visitor, h as vh, views, goal, landing, post_count, in_campaign, started, unnest(range(1, views + 1)) as place from visit
), hashed as (
  select *, scatter(xor(vh, (place * 1103515245) & 4294967295)) as h from place
), kinded as (
  select *, case when place = views and goal is not null then goal when place = 1 then landing
      when landing = 'blog' then pick(['blog', 'blog', 'blog', 'product', 'home', 'pricing', 'guide'], throw(h, 1))
      else pick(['product', 'product', 'pricing', 'home', 'customers', 'help', 'blog', 'company', 'webinar'], throw(h, 1)) end as kind
  from hashed
), placed as (
  select *,
    case when kind <> 'blog' then null when throw(h, 2) < 0.5 then post_count - whole(throw(h, 3) * throw(h, 3) * post_count)
         else 1 + whole(throw(h, 3) * throw(h, 3) * throw(h, 3) * post_count) end as post,
    case when views = 1 and goal is null and throw(h, 4) < 0.35 then 0
         when kind = 'blog' then 4 + whole(170 * throw(h, 5) * throw(h, 6)) + case when throw(h, 7) < 0.06 then whole(400 * throw(h, 8)) else 0 end
         else 2 + whole(110 * throw(h, 5) * throw(h, 6)) end as seconds
  from kinded
), waited as (
  select *, seconds + case when place = views then 0 else 1 + whole(12 * throw(h, 9)) end as wait from placed
)
select waited.visit, waited.visitor, place, views, kind, seconds, wait, content_id,
  coalesce(posts.path, case kind when 'home' then '/' when 'pricing' then '/tarifs' when 'demo' then '/demo' when 'contact' then '/contact'
    when 'customers' then '/clients' when 'company' then '/a-propos'
    when 'product' then pick(['/produit', '/produit/automatisation', '/produit/rapports'], throw(h, 10))
    when 'help' then pick(['/aide', '/aide/demarrer', '/aide/importer-un-fichier'], throw(h, 10))
    when 'guide' then pick(['/ressources/livre-blanc-crm', '/ressources/livre-blanc-donnees', '/ressources/sales-guide'], throw(h, 10))
    else case when in_campaign and throw(h, 11) < 0.75 then '/webinaires/printemps-2026' else pick(['/webinaires', '/webinaires/vente'], throw(h, 10)) end
    end) as path,
  started + coalesce(sum(wait) over (partition by visit order by place rows between unbounded preceding and 1 preceding), 0) as viewed
from waited left join posts on posts.number = waited.post;

create table web_page_view as
select printf('p%07d', row_number() over (order by viewed, visit, place)) as page_view_id, printf('s%06d', visit) as session_id,
  printf('v%06d', visitor) as visitor_id, to_timestamp(viewed) as viewed_at, 'https://www.acme.example' || path as page_url, path as page_path,
  case kind when 'guide' then 'resources' when 'webinar' then 'resources' else kind end as section,
  coalesce(content_id, case path when '/ressources/livre-blanc-crm' then 'ebook-crm' when '/ressources/livre-blanc-donnees' then 'ebook-data'
    when '/ressources/sales-guide' then 'ebook-guide' when '/webinaires/vente' then 'webinar-vente'
    when '/webinaires/printemps-2026' then 'webinar-ia' end) as content_id,
  cast(seconds as double) as engagement_seconds
from page_view order by page_view_id;

create table web_session as
with seen as (
  select visit, sum(seconds) as seconds, sum(wait) as waited, arg_min(path, place) as path from page_view group by visit
)
select printf('s%06d', visit) as session_id, 'www.acme.example' as site_id, printf('v%06d', visitor) as visitor_id,
  case when throw(vh, 5) < 0.05 and number > 2 then printf('u%05d', visitor) end as user_id,
  to_timestamp(started) as started_at, cast(number as integer) as session_number, cast(waited as double) as duration_seconds,
  cast(seconds as double) as engagement_seconds, cast(views as integer) as page_views, seconds >= 10 or views > 1 or converts or buys as is_engaged,
  case channel
    when 'organic_search' then pick(['google', 'google', 'google', 'google', 'google', 'google', 'google', 'google', 'google', 'google', 'google',
      'google', 'google', 'google', 'google', 'google', 'google', 'bing', 'bing', 'ecosia'], throw(h, 21))
    when 'direct' then '(direct)' when 'email' then pick(['newsletter', 'newsletter', 'newsletter', 'nurturing'], throw(h, 21))
    when 'paid_search' then pick(['google', 'google', 'google', 'google', 'google', 'google', 'google', 'bing'], throw(h, 21))
    when 'organic_social' then pick(['linkedin', 'linkedin', 'linkedin', 'linkedin', 'x', 'instagram', 'youtube'], throw(h, 21))
    when 'paid_social' then pick(['linkedin', 'linkedin', 'facebook'], throw(h, 21))
    when 'referral' then pick(['comparatif-logiciels.example', 'partenaire-erp.example', 'annuaire-pme.example', 'salon-vente.example'], throw(h, 21))
    end as source,
  case channel when 'organic_search' then 'organic' when 'direct' then '(none)' when 'email' then 'email' when 'paid_search' then 'cpc'
    when 'organic_social' then 'social' when 'paid_social' then 'paid_social' when 'referral' then 'referral' end as medium,
  case channel when 'paid_search' then pick(['marque', 'generique_crm', 'generique_crm', 'concurrents'], throw(h, 22))
    when 'paid_social' then case when in_campaign and (by_campaign or throw(h, 22) < 0.5) then 'printemps_2026' else 'toujours_visible' end
    when 'email' then 'lettre_' || month end as campaign,
  channel, path as landing_path,
  case when throw(vh, 1) < 0.015 then null when throw(vh, 2) < 0.33 then 'mobile' when throw(vh, 2) < 0.36 then 'tablet' else 'desktop' end as device,
  case when throw(vh, 3) < 0.012 then null when throw(vh, 4) < 0.70 then 'FR' when throw(vh, 4) < 0.79 then 'BE' when throw(vh, 4) < 0.86 then 'CH'
    when throw(vh, 4) < 0.91 then 'CA' when throw(vh, 4) < 0.93 then 'LU' when throw(vh, 4) < 0.96 then 'GB' else 'DE' end as country
from visit join seen using (visit) order by session_id;

-- What was asked for or bought in a visit, on its last page.
create table request as
with last_page as (
  select visit, max(viewed + greatest(seconds - 1, 0)) as asked from page_view group by visit
), wanted as (
  select visit, asked, 1 as place, request as type, null as price from visit join last_page using (visit) where converts
  union all
  select visit, asked + 20, 2, 'blog_subscription', null from visit join last_page using (visit)
  where request in ('ebook_download', 'webinar_signup') and throw(h, 23) < 0.09
  union all
  select visit, asked + 40, 3, 'purchase', pick([29, 29, 49, 49, 99, 290, 490], throw(h, 24)) from visit join last_page using (visit) where buys
)
select session_id, visitor_id, asked, type, price, channel, source, campaign, country
from wanted join web_session on session_id = printf('s%06d', visit)
order by asked, session_id, place;
