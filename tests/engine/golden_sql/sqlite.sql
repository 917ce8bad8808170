-- orders {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
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
"r"."paid" >= '2025-12-31 23:00:00' AND "r"."paid" < '2026-01-31 23:00:00'
) AS "__answer";

-- mean_seconds {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CAST("a0" AS REAL) AS "a0"
FROM (
SELECT
0 AS "cell",
CAST(AVG("r"."seconds") AS REAL) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-31 23:00:00' AND "r"."paid" < '2026-01-31 23:00:00'
) AS "__answer";

-- mean_amount {'period': '2026-01'}
-- 0 rows of `sales` travel, because `decimal` is not the same there
SELECT
"r"."paid" || '+00:00' AS "paid",
"r"."amount" AS "amount"
FROM (
SELECT
"paid" AS "paid",
"amount" AS "amount"
FROM "shop"."sales"
) AS "r"
WHERE
(
(
"r"."paid" >= '2025-12-31 23:00:00'
)
AND (
"r"."paid" < '2026-01-31 23:00:00'
)
);

-- channels {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(DISTINCT "r"."channel") AS "a0"
FROM (
SELECT
"paid" AS "paid",
"channel" COLLATE BINARY AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-31 23:00:00' AND "r"."paid" < '2026-01-31 23:00:00'
) AS "__answer";

-- spread {'period': '2026-01'}
-- 0 rows of `sales` travel, because `stddev` is not the same there
SELECT
"r"."paid" || '+00:00' AS "paid",
CASE
WHEN TYPEOF("r"."seconds") = 'real'
THEN ABS(CAST("r"."seconds" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "r"."seconds"
END AS "seconds"
FROM (
SELECT
"paid" AS "paid",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
(
(
"r"."paid" >= '2025-12-31 23:00:00'
)
AND (
"r"."paid" < '2026-01-31 23:00:00'
)
);

-- middle {'period': '2026-01'}
-- 0 rows of `sales` travel, because `median` is not the same there
SELECT
"r"."paid" || '+00:00' AS "paid",
CAST("r"."rate" AS REAL) AS "rate"
FROM (
SELECT
"paid" AS "paid",
"rate" AS "rate"
FROM "shop"."sales"
) AS "r"
WHERE
(
(
"r"."paid" >= '2025-12-31 23:00:00'
)
AND (
"r"."paid" < '2026-01-31 23:00:00'
)
);

-- of_web {'period': '2026-01'}
-- 0 rows of `sales` travel, because `decimal` is not the same there
SELECT
"r"."paid" || '+00:00' AS "paid",
CAST("r"."channel" AS TEXT) AS "channel",
"r"."amount" AS "amount"
FROM (
SELECT
"paid" AS "paid",
"channel" COLLATE BINARY AS "channel",
"amount" AS "amount"
FROM "shop"."sales"
) AS "r"
WHERE
(
(
"r"."paid" >= '2025-12-31 23:00:00'
)
AND (
"r"."paid" < '2026-01-31 23:00:00'
)
AND (
"r"."amount" > 0.5
)
AND (
"r"."channel" = 'web'
)
);

-- quoted {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"channel" COLLATE BINARY AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-31 23:00:00'
AND "r"."paid" < '2026-01-31 23:00:00'
AND "r"."channel" = 'o''x\y'
) AS "__answer";

-- doubled {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0",
CASE
WHEN TYPEOF("a1") = 'real'
THEN ABS(CAST("a1" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a1"
END AS "a1"
FROM (
SELECT
0 AS "cell",
SUM("r"."seconds" * 2 + 1) AS "a0",
COUNT(*) AS "a1"
FROM (
SELECT
"paid" AS "paid",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-31 23:00:00' AND "r"."paid" < '2026-01-31 23:00:00'
) AS "__answer";

-- known {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
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
"r"."paid" >= '2025-12-31 23:00:00'
AND "r"."paid" < '2026-01-31 23:00:00'
AND NOT "r"."is_new" IS TRUE
) AS "__answer";

-- same {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"channel" COLLATE BINARY AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-31 23:00:00'
AND "r"."paid" < '2026-01-31 23:00:00'
AND "r"."channel" IS 'web'
) AS "__answer";

-- longest {'period': '2026-01'}
-- 0 rows of `sales` travel, because `length` is not the same there
SELECT
"r"."paid" || '+00:00' AS "paid",
CAST("r"."channel" AS TEXT) AS "channel"
FROM (
SELECT
"paid" AS "paid",
"channel" COLLATE BINARY AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
(
(
"r"."paid" >= '2025-12-31 23:00:00'
)
AND (
"r"."paid" < '2026-01-31 23:00:00'
)
);

-- least {'period': '2026-01'}
-- 0 rows of `sales` travel, because `least` is not the same there
SELECT
"r"."paid" || '+00:00' AS "paid",
CASE
WHEN TYPEOF("r"."shop_id") = 'real'
THEN ABS(CAST("r"."shop_id" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "r"."shop_id"
END AS "shop_id",
CASE
WHEN TYPEOF("r"."seconds") = 'real'
THEN ABS(CAST("r"."seconds" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "r"."seconds"
END AS "seconds"
FROM (
SELECT
"paid" AS "paid",
"shop_id" AS "shop_id",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
(
(
"r"."paid" >= '2025-12-31 23:00:00'
)
AND (
"r"."paid" < '2026-01-31 23:00:00'
)
);

-- found {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
FROM (
SELECT
0 AS "cell",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"channel" COLLATE BINARY AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-31 23:00:00'
AND "r"."paid" < '2026-01-31 23:00:00'
AND (
(
INSTR("r"."channel", 'we') > 0
)
OR (
SUBSTR("r"."channel", 1, LENGTH('a')) = 'a'
)
)
) AS "__answer";

-- ratio {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CAST("a0" AS REAL) AS "a0",
CASE
WHEN TYPEOF("a1") = 'real'
THEN ABS(CAST("a1" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a1"
END AS "a1"
FROM (
SELECT
0 AS "cell",
SUM(CAST("r"."amount" AS REAL) / NULLIF(CAST("r"."seconds" AS REAL), 0)) AS "a0",
COUNT(*) AS "a1"
FROM (
SELECT
"paid" AS "paid",
"amount" AS "amount",
"seconds" AS "seconds"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-31 23:00:00' AND "r"."paid" < '2026-01-31 23:00:00'
) AS "__answer";

-- best_day {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
"a0" AS "a0"
FROM (
SELECT
"m"."cell" AS "cell",
MAX("__value"."__value") AS "a0"
FROM (
WITH "__summary0" AS MATERIALIZED (
SELECT
CASE
WHEN "r"."paid" < '2026-01-15 23:00:00'
THEN CASE
WHEN "r"."paid" < '2026-01-07 23:00:00'
THEN CASE
WHEN "r"."paid" < '2026-01-03 23:00:00'
THEN CASE
WHEN "r"."paid" < '2026-01-01 23:00:00'
THEN 0
ELSE CASE WHEN "r"."paid" < '2026-01-02 23:00:00' THEN 1 ELSE 2 END
END
ELSE CASE
WHEN "r"."paid" < '2026-01-05 23:00:00'
THEN CASE WHEN "r"."paid" < '2026-01-04 23:00:00' THEN 3 ELSE 4 END
ELSE CASE WHEN "r"."paid" < '2026-01-06 23:00:00' THEN 5 ELSE 6 END
END
END
ELSE CASE
WHEN "r"."paid" < '2026-01-11 23:00:00'
THEN CASE
WHEN "r"."paid" < '2026-01-09 23:00:00'
THEN CASE WHEN "r"."paid" < '2026-01-08 23:00:00' THEN 7 ELSE 8 END
ELSE CASE WHEN "r"."paid" < '2026-01-10 23:00:00' THEN 9 ELSE 10 END
END
ELSE CASE
WHEN "r"."paid" < '2026-01-13 23:00:00'
THEN CASE WHEN "r"."paid" < '2026-01-12 23:00:00' THEN 11 ELSE 12 END
ELSE CASE WHEN "r"."paid" < '2026-01-14 23:00:00' THEN 13 ELSE 14 END
END
END
END
ELSE CASE
WHEN "r"."paid" < '2026-01-23 23:00:00'
THEN CASE
WHEN "r"."paid" < '2026-01-19 23:00:00'
THEN CASE
WHEN "r"."paid" < '2026-01-17 23:00:00'
THEN CASE WHEN "r"."paid" < '2026-01-16 23:00:00' THEN 15 ELSE 16 END
ELSE CASE WHEN "r"."paid" < '2026-01-18 23:00:00' THEN 17 ELSE 18 END
END
ELSE CASE
WHEN "r"."paid" < '2026-01-21 23:00:00'
THEN CASE WHEN "r"."paid" < '2026-01-20 23:00:00' THEN 19 ELSE 20 END
ELSE CASE WHEN "r"."paid" < '2026-01-22 23:00:00' THEN 21 ELSE 22 END
END
END
ELSE CASE
WHEN "r"."paid" < '2026-01-27 23:00:00'
THEN CASE
WHEN "r"."paid" < '2026-01-25 23:00:00'
THEN CASE WHEN "r"."paid" < '2026-01-24 23:00:00' THEN 23 ELSE 24 END
ELSE CASE WHEN "r"."paid" < '2026-01-26 23:00:00' THEN 25 ELSE 26 END
END
ELSE CASE
WHEN "r"."paid" < '2026-01-29 23:00:00'
THEN CASE WHEN "r"."paid" < '2026-01-28 23:00:00' THEN 27 ELSE 28 END
ELSE CASE WHEN "r"."paid" < '2026-01-30 23:00:00' THEN 29 ELSE 30 END
END
END
END
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
"r"."paid" >= '2025-12-31 23:00:00' AND "r"."paid" < '2026-01-31 23:00:00'
GROUP BY
1
), "__periods" AS (
SELECT
CAST("__v"."column1" AS INTEGER) AS "__p",
CAST("__v"."column2" AS TEXT) AS "__period"
FROM (VALUES
(0, '2026-01-01 00:00:00'),
(1, '2026-01-02 00:00:00'),
(2, '2026-01-03 00:00:00'),
(3, '2026-01-04 00:00:00'),
(4, '2026-01-05 00:00:00'),
(5, '2026-01-06 00:00:00'),
(6, '2026-01-07 00:00:00'),
(7, '2026-01-08 00:00:00'),
(8, '2026-01-09 00:00:00'),
(9, '2026-01-10 00:00:00'),
(10, '2026-01-11 00:00:00'),
(11, '2026-01-12 00:00:00'),
(12, '2026-01-13 00:00:00'),
(13, '2026-01-14 00:00:00'),
(14, '2026-01-15 00:00:00'),
(15, '2026-01-16 00:00:00'),
(16, '2026-01-17 00:00:00'),
(17, '2026-01-18 00:00:00'),
(18, '2026-01-19 00:00:00'),
(19, '2026-01-20 00:00:00'),
(20, '2026-01-21 00:00:00'),
(21, '2026-01-22 00:00:00'),
(22, '2026-01-23 00:00:00'),
(23, '2026-01-24 00:00:00'),
(24, '2026-01-25 00:00:00'),
(25, '2026-01-26 00:00:00'),
(26, '2026-01-27 00:00:00'),
(27, '2026-01-28 00:00:00'),
(28, '2026-01-29 00:00:00'),
(29, '2026-01-30 00:00:00'),
(30, '2026-01-31 00:00:00')) AS "__v"
), "__values0" AS (
SELECT
"__periods"."__p",
"__periods"."__period",
COALESCE("s.0"."a0", CASE WHEN COALESCE("s.0"."a1", 0) = 0 THEN 0 END) AS "__value"
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
CAST("__v"."column1" AS INTEGER) AS "piece",
CAST("__v"."column2" AS INTEGER) AS "cell"
FROM (VALUES
(0, 0),
(1, 0),
(2, 0),
(3, 0),
(4, 0),
(5, 0),
(6, 0),
(7, 0),
(8, 0),
(9, 0),
(10, 0),
(11, 0),
(12, 0),
(13, 0),
(14, 0),
(15, 0),
(16, 0),
(17, 0),
(18, 0),
(19, 0),
(20, 0),
(21, 0),
(22, 0),
(23, 0),
(24, 0),
(25, 0),
(26, 0),
(27, 0),
(28, 0),
(29, 0),
(30, 0)) AS "__v"
) AS "m"
ON "m"."piece" = "__value"."__p"
GROUP BY
1
) AS "__answer";

-- first_local {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
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
"r"."at" >= '2026-01-01 00:00:00' AND "r"."at" < '2026-02-01 00:00:00'
) AS "__answer";

-- pieces {'period': '2026-01'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
FROM (
SELECT
"m"."cell" AS "cell",
SUM("r"."pieces") AS "a0"
FROM (
SELECT
"r".*,
MIN("r"."day") OVER (
PARTITION BY "r"."shop_id"
ORDER BY "r"."day" NULLS LAST
GROUPS BETWEEN 1 FOLLOWING AND 1 FOLLOWING
) AS "__until"
FROM (
SELECT
"day" AS "day",
"shop_id" AS "shop_id",
"pieces" AS "pieces"
FROM "shop"."stock"
) AS "r"
WHERE
NOT "r"."day" IS NULL AND "r"."day" < '2026-02-01'
) AS "r"
INNER JOIN (
SELECT
CAST("__v"."column1" AS TEXT) AS "instant",
CAST("__v"."column2" AS INTEGER) AS "cell"
FROM (VALUES
('2026-02-01', 0)) AS "__v"
) AS "m"
ON "r"."day" < "m"."instant"
AND (
"r"."__until" IS NULL OR "r"."__until" >= "m"."instant"
)
GROUP BY
1
) AS "__answer";

-- revenue {'by': 'region', 'grain': 'month', 'period': '2026-Q1'}
-- 0 rows of `sales` travel, because `decimal` is not the same there
SELECT
"r"."paid" || '+00:00' AS "paid",
CASE
WHEN TYPEOF("r"."shop_id") = 'real'
THEN ABS(CAST("r"."shop_id" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "r"."shop_id"
END AS "shop_id",
"r"."amount" AS "amount"
FROM (
SELECT
"paid" AS "paid",
"shop_id" AS "shop_id",
"amount" AS "amount"
FROM "shop"."sales"
) AS "r"
WHERE
(
(
"r"."paid" >= '2025-12-31 23:00:00'
)
AND (
"r"."paid" < '2026-03-31 22:00:00'
)
);
-- 0 rows of `shops` travel, because `decimal` is not the same there
SELECT
CASE
WHEN TYPEOF("r"."shop_id") = 'real'
THEN ABS(CAST("r"."shop_id" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "r"."shop_id"
END AS "shop_id",
CAST("r"."region" AS TEXT) AS "region"
FROM (
SELECT
"shop_id" AS "shop_id",
"region" COLLATE BINARY AS "region"
FROM "shop"."shops"
) AS "r";

-- orders {'by': 'channel', 'period': '2026-01-05..2026-01-20', 'compare': 'previous_period'}
-- aggregates travel
SELECT
CASE
WHEN TYPEOF("cell") = 'real'
THEN ABS(CAST("cell" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "cell"
END AS "cell",
CAST("__d_channel" AS TEXT) AS "__d_channel",
CASE
WHEN TYPEOF("a0") = 'real'
THEN ABS(CAST("a0" AS INTEGER) * 0 - 9223372036854775807 - 1)
ELSE "a0"
END AS "a0"
FROM (
SELECT
CASE WHEN "r"."paid" < '2026-01-04 23:00:00' THEN 1 ELSE 0 END AS "cell",
"r"."channel" AS "__d_channel",
COUNT(*) AS "a0"
FROM (
SELECT
"paid" AS "paid",
"channel" COLLATE BINARY AS "channel"
FROM "shop"."sales"
) AS "r"
WHERE
"r"."paid" >= '2025-12-19 23:00:00' AND "r"."paid" < '2026-01-20 23:00:00'
GROUP BY
1,
2
) AS "__answer";
