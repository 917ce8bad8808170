-- orders {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- mean_seconds {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(Float64)) AS "a0"
FROM (
SELECT
0 AS "cell",
(
CAST(SUM(
(
(
CAST("r"."seconds" AS Nullable(Decimal(38, 0)))
) * CAST('1' AS Nullable(Decimal(76, 0)))
)
) AS Nullable(Float64)) / CAST(nullIf(
COUNT(
(
(
CAST("r"."seconds" AS Nullable(Decimal(38, 0)))
) * CAST('1' AS Nullable(Decimal(76, 0)))
)
),
0
) AS Nullable(Float64))
) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- mean_amount {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(Float64)) AS "a0"
FROM (
SELECT
0 AS "cell",
(
CAST(SUM((
(
"r"."amount"
) * CAST('1' AS Nullable(Decimal(76, 0)))
)) AS Nullable(Float64)) / CAST(nullIf(COUNT((
(
"r"."amount"
) * CAST('1' AS Nullable(Decimal(76, 0)))
)), 0) AS Nullable(Float64))
) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"amount" AS "amount"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- channels {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(DISTINCT "r"."channel") AS "a0"
FROM (
SELECT
"paid" AS "paid",
CAST("channel" AS Nullable(String)) AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- spread {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(Float64)) AS "a0"
FROM (
SELECT
0 AS "cell",
CASE
WHEN COUNT(CASE WHEN NOT isFinite(CAST("r"."seconds" AS Nullable(Float64))) THEN 1 END) = 0
THEN CASE
WHEN COUNT(
CASE
WHEN isFinite(CAST("r"."seconds" AS Nullable(Float64)))
THEN CAST("r"."seconds" AS Nullable(Float64))
END
) > 1
THEN stddevSampStable(
CAST(CASE
WHEN isFinite(CAST("r"."seconds" AS Nullable(Float64)))
THEN CAST("r"."seconds" AS Nullable(Float64))
END AS Nullable(Float64))
)
END
END AS "a0"
FROM (
SELECT
"paid" AS "paid",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- middle {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(Float64)) AS "a0"
FROM (
SELECT
0 AS "cell",
quantileExactInclusiveOrNull(CAST('0.5' AS Decimal(38, 1)))(CAST(CAST("r"."rate" AS Nullable(Float64)) AS Nullable(Float64))) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"rate" AS "rate"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- of_web {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0",
CAST("a1" AS Nullable(String)) AS "a1"
FROM (
SELECT
0 AS "cell",
SUM((
(
"r"."amount"
) * CAST('1' AS Nullable(Decimal(76, 0)))
)) AS "a0",
COUNT(*) AS "a1"
FROM (
SELECT
"paid" AS "paid",
CAST("channel" AS Nullable(String)) AS "channel",
"amount" AS "amount"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."amount" > CAST('0.5' AS Nullable(Decimal(38, 1)))
AND "r"."channel" = 'web'
) AS "__answer";

-- quoted {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
CAST("channel" AS Nullable(String)) AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."channel" = 'o''x\\y'
) AS "__answer";

-- doubled {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0",
CAST("a1" AS Nullable(String)) AS "a1"
FROM (
SELECT
0 AS "cell",
SUM(
(
(
CAST(CAST((
(
CAST("r"."seconds" AS Nullable(Decimal(38, 0)))
) * CAST('1' AS Nullable(Decimal(76, 0)))
) * CAST(2 AS Nullable(Decimal(38, 0))) AS Nullable(Decimal(38, 0))) + CAST(1 AS Nullable(Decimal(38, 0))) AS Nullable(Decimal(38, 0)))
) * CAST('1' AS Nullable(Decimal(76, 0)))
)
) AS "a0",
COUNT(*) AS "a1"
FROM (
SELECT
"paid" AS "paid",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- known {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"is_new" AS "is_new"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND NOT (
"r"."is_new" IS TRUE
)
) AS "__answer";

-- same {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
CAST("channel" AS Nullable(String)) AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."channel" IS NOT DISTINCT FROM 'web'
) AS "__answer";

-- longest {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
MAX(CAST(lengthUTF8("r"."channel") AS Nullable(Int64))) AS "a0"
FROM (
SELECT
"paid" AS "paid",
CAST("channel" AS Nullable(String)) AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- least {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
MIN(
least(
COALESCE(
CAST("r"."seconds" AS Nullable(Decimal(38, 0))),
CAST("r"."shop_id" AS Nullable(Decimal(38, 0)))
),
COALESCE(
CAST("r"."shop_id" AS Nullable(Decimal(38, 0))),
CAST("r"."seconds" AS Nullable(Decimal(38, 0)))
)
)
) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"shop_id" AS "shop_id",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- found {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
CAST("channel" AS Nullable(String)) AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND (
(
position("r"."channel", 'we') > 0
) OR startsWith("r"."channel", 'a')
)
) AS "__answer";

-- ratio {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(Float64)) AS "a0",
CAST("a1" AS Nullable(String)) AS "a1"
FROM (
SELECT
0 AS "cell",
SUM(
CAST("r"."amount" AS Nullable(Float64)) / nullIf(CAST("r"."seconds" AS Nullable(Float64)), CAST(0 AS Nullable(Float64)))
) AS "a0",
COUNT(*) AS "a1"
FROM (
SELECT
"paid" AS "paid",
"amount" AS "amount",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- best_day {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
"m"."cell" AS "cell",
MAX("__value"."__value") AS "a0"
FROM (
WITH "__summary0" AS (
SELECT
CASE
WHEN "r"."paid" < CAST('2026-01-15 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-07 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-03 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-01 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(0 AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-02 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(1 AS Nullable(Decimal(38, 0)))
ELSE CAST(2 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-05 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-04 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(3 AS Nullable(Decimal(38, 0)))
ELSE CAST(4 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-06 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(5 AS Nullable(Decimal(38, 0)))
ELSE CAST(6 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-11 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-09 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-08 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(7 AS Nullable(Decimal(38, 0)))
ELSE CAST(8 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-10 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(9 AS Nullable(Decimal(38, 0)))
ELSE CAST(10 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-13 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-12 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(11 AS Nullable(Decimal(38, 0)))
ELSE CAST(12 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-14 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(13 AS Nullable(Decimal(38, 0)))
ELSE CAST(14 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-23 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-19 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-17 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-16 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(15 AS Nullable(Decimal(38, 0)))
ELSE CAST(16 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-18 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(17 AS Nullable(Decimal(38, 0)))
ELSE CAST(18 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-21 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-20 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(19 AS Nullable(Decimal(38, 0)))
ELSE CAST(20 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-22 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(21 AS Nullable(Decimal(38, 0)))
ELSE CAST(22 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-27 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-25 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-24 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(23 AS Nullable(Decimal(38, 0)))
ELSE CAST(24 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-26 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(25 AS Nullable(Decimal(38, 0)))
ELSE CAST(26 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-29 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(CASE
WHEN "r"."paid" < CAST('2026-01-28 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(27 AS Nullable(Decimal(38, 0)))
ELSE CAST(28 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-01-30 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(29 AS Nullable(Decimal(38, 0)))
ELSE CAST(30 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS "cell",
SUM("r"."amount") AS "a0",
COUNT(*) AS "a1"
FROM (
SELECT
"paid" AS "paid",
"amount" AS "amount"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
GROUP BY
1
), "__periods" AS (
SELECT
CAST("__v"."column1" AS Nullable(Int64)) AS "__p",
CAST("__v"."column2" AS Nullable(DateTime64(6, 'UTC'))) AS "__period"
FROM (
SELECT
0 AS "column1",
CAST('2026-01-01 00:00:00' AS Nullable(DateTime64(6, 'UTC'))) AS "column2"
UNION ALL
SELECT
1,
CAST('2026-01-02 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
2,
CAST('2026-01-03 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
3,
CAST('2026-01-04 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
4,
CAST('2026-01-05 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
5,
CAST('2026-01-06 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
6,
CAST('2026-01-07 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
7,
CAST('2026-01-08 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
8,
CAST('2026-01-09 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
9,
CAST('2026-01-10 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
10,
CAST('2026-01-11 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
11,
CAST('2026-01-12 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
12,
CAST('2026-01-13 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
13,
CAST('2026-01-14 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
14,
CAST('2026-01-15 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
15,
CAST('2026-01-16 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
16,
CAST('2026-01-17 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
17,
CAST('2026-01-18 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
18,
CAST('2026-01-19 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
19,
CAST('2026-01-20 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
20,
CAST('2026-01-21 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
21,
CAST('2026-01-22 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
22,
CAST('2026-01-23 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
23,
CAST('2026-01-24 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
24,
CAST('2026-01-25 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
25,
CAST('2026-01-26 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
26,
CAST('2026-01-27 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
27,
CAST('2026-01-28 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
28,
CAST('2026-01-29 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
29,
CAST('2026-01-30 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
UNION ALL
SELECT
30,
CAST('2026-01-31 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__v"
), "__values0" AS (
SELECT
"__periods"."__p",
"__periods"."__period",
COALESCE(
"s.0"."a0",
CAST(CASE WHEN COALESCE("s.0"."a1", CAST(0 AS Nullable(Decimal(38, 0)))) = 0 THEN 0 END AS Nullable(Decimal(38, 0)))
) AS "__value"
FROM "__periods"
LEFT JOIN "__summary0" AS "s.0"
ON "s.0"."cell" = "__periods"."__p"
)
SELECT
"__p" AS "__p",
"__value" AS "__value"
FROM "__values0"
) AS "__value"
INNER JOIN (
SELECT
CAST("__v"."column1" AS Nullable(Int64)) AS "piece",
CAST("__v"."column2" AS Nullable(Int64)) AS "cell"
FROM (
SELECT
0 AS "column1",
0 AS "column2"
UNION ALL
SELECT
1,
0
UNION ALL
SELECT
2,
0
UNION ALL
SELECT
3,
0
UNION ALL
SELECT
4,
0
UNION ALL
SELECT
5,
0
UNION ALL
SELECT
6,
0
UNION ALL
SELECT
7,
0
UNION ALL
SELECT
8,
0
UNION ALL
SELECT
9,
0
UNION ALL
SELECT
10,
0
UNION ALL
SELECT
11,
0
UNION ALL
SELECT
12,
0
UNION ALL
SELECT
13,
0
UNION ALL
SELECT
14,
0
UNION ALL
SELECT
15,
0
UNION ALL
SELECT
16,
0
UNION ALL
SELECT
17,
0
UNION ALL
SELECT
18,
0
UNION ALL
SELECT
19,
0
UNION ALL
SELECT
20,
0
UNION ALL
SELECT
21,
0
UNION ALL
SELECT
22,
0
UNION ALL
SELECT
23,
0
UNION ALL
SELECT
24,
0
UNION ALL
SELECT
25,
0
UNION ALL
SELECT
26,
0
UNION ALL
SELECT
27,
0
UNION ALL
SELECT
28,
0
UNION ALL
SELECT
29,
0
UNION ALL
SELECT
30,
0
) AS "__v"
) AS "m"
ON "m"."piece" = "__value"."__p"
GROUP BY
1
) AS "__answer";

-- first_local {'period': '2026-01'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"at" AS "at"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."at" >= CAST('2026-01-01 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."at" < CAST('2026-02-01 00:00:00' AS Nullable(DateTime64(6, 'UTC')))
) AS "__answer";

-- pieces {'period': '2026-01'}
-- 0 rows of `stock` travel, because `groups` is not the same there
SELECT
CAST("r"."day" AS Nullable(String)) AS "day",
CAST("r"."shop_id" AS Nullable(String)) AS "shop_id",
CAST("r"."pieces" AS Nullable(String)) AS "pieces"
FROM (
SELECT
"day" AS "day",
"shop_id" AS "shop_id",
"pieces" AS "pieces"
FROM "shop"."stock"
) AS "r";

-- revenue {'by': 'region', 'grain': 'month', 'period': '2026-Q1'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("__d_region" AS Nullable(String)) AS "__d_region",
CAST("a0" AS Nullable(String)) AS "a0",
CAST("a1" AS Nullable(String)) AS "a1"
FROM (
SELECT
CASE
WHEN "r"."paid" < CAST('2026-01-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(0 AS Nullable(Decimal(38, 0)))
ELSE CAST(CASE
WHEN "r"."paid" < CAST('2026-02-28 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(1 AS Nullable(Decimal(38, 0)))
ELSE CAST(2 AS Nullable(Decimal(38, 0)))
END AS Nullable(Decimal(38, 0)))
END AS "cell",
"r.shop"."region" AS "__d_region",
SUM((
(
"r"."amount"
) * CAST('1' AS Nullable(Decimal(76, 0)))
)) AS "a0",
COUNT(*) AS "a1"
FROM (
SELECT
"paid" AS "paid",
"shop_id" AS "shop_id",
"amount" AS "amount"
FROM "shop"."sales"
) AS "r"
LEFT JOIN (
SELECT
"shop_id" AS "shop_id",
CAST("region" AS Nullable(String)) AS "region"
FROM "shop"."shops"
) AS "r.shop"
ON "r"."shop_id" = "r.shop"."shop_id"
WHERE
"r"."paid" >= CAST('2025-12-31 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-03-31 22:00:00' AS Nullable(DateTime64(6, 'UTC')))
GROUP BY
1,
2
) AS "__answer";

-- orders {'by': 'channel', 'period': '2026-01-05..2026-01-20', 'compare': 'previous_period'}
-- aggregates travel
SELECT
CAST("cell" AS Nullable(String)) AS "cell",
CAST("__d_channel" AS Nullable(String)) AS "__d_channel",
CAST("a0" AS Nullable(String)) AS "a0"
FROM (
SELECT
CASE
WHEN "r"."paid" < CAST('2026-01-04 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
THEN CAST(1 AS Nullable(Decimal(38, 0)))
ELSE CAST(0 AS Nullable(Decimal(38, 0)))
END AS "cell",
"r"."channel" AS "__d_channel",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
CAST("channel" AS Nullable(String)) AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= CAST('2025-12-19 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
AND "r"."paid" < CAST('2026-01-20 23:00:00' AS Nullable(DateTime64(6, 'UTC')))
GROUP BY
1,
2
) AS "__answer";
