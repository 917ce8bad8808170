-- orders {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- mean_seconds {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS DOUBLE) AS `a0`
FROM (
SELECT
0 AS `cell`,
(
CAST(SUM(`r`.`seconds`) AS DOUBLE) / CAST(NULLIF(COUNT(`r`.`seconds`), 0) AS DOUBLE)
) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- mean_amount {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS DOUBLE) AS `a0`
FROM (
SELECT
0 AS `cell`,
(
CAST(SUM(`r`.`amount`) AS DOUBLE) / CAST(NULLIF(COUNT(`r`.`amount`), 0) AS DOUBLE)
) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`amount` AS `amount`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- channels {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(DISTINCT `r`.`channel`) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
CAST(`channel` AS CHAR) AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- spread {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS DOUBLE) AS `a0`
FROM (
SELECT
0 AS `cell`,
CASE
WHEN COUNT(
CASE
WHEN NOT (
CAST(`r`.`seconds` AS DOUBLE) = CAST(`r`.`seconds` AS DOUBLE)
)
THEN 1
END
) = 0
THEN STDDEV_SAMP(
CAST(CASE
WHEN (
CAST(`r`.`seconds` AS DOUBLE) = CAST(`r`.`seconds` AS DOUBLE)
)
THEN CAST(`r`.`seconds` AS DOUBLE)
END AS DOUBLE)
)
END AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- middle {'period': '2026-01'}
-- 0 rows of `sales` travel, because `median` is not the same there
SELECT
CONCAT(CAST(`r`.`paid` AS CHAR), '+00:00') AS `paid`,
CAST(`r`.`rate` AS DOUBLE) AS `rate`
FROM (
SELECT
`paid` AS `paid`,
`rate` AS `rate`
FROM `shop`.`sales`
) AS `r`
WHERE
(
(
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
)
AND (
`r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
)
);

-- of_web {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS CHAR) AS `a0`,
CAST(`a1` AS SIGNED) AS `a1`
FROM (
SELECT
0 AS `cell`,
SUM(`r`.`amount`) AS `a0`,
COUNT(*) AS `a1`
FROM (
SELECT
`paid` AS `paid`,
CAST(`channel` AS CHAR) AS `channel`,
`amount` AS `amount`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
AND `r`.`amount` > 0.5
AND `r`.`channel` = 'web'
) AS `__answer`;

-- quoted {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
CAST(`channel` AS CHAR) AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
AND `r`.`channel` = 'o''x\\y'
) AS `__answer`;

-- doubled {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS CHAR) AS `a0`,
CAST(`a1` AS SIGNED) AS `a1`
FROM (
SELECT
0 AS `cell`,
SUM(`r`.`seconds` * 2 + 1) AS `a0`,
COUNT(*) AS `a1`
FROM (
SELECT
`paid` AS `paid`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- known {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`is_new` AS `is_new`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
AND NOT `r`.`is_new` IS TRUE
) AS `__answer`;

-- same {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
CAST(`channel` AS CHAR) AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
AND `r`.`channel` <=> 'web'
) AS `__answer`;

-- longest {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
MAX(CHAR_LENGTH(`r`.`channel`)) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
CAST(`channel` AS CHAR) AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- least {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
MIN(
LEAST(COALESCE(`r`.`seconds`, `r`.`shop_id`), COALESCE(`r`.`shop_id`, `r`.`seconds`))
) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`shop_id` AS `shop_id`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- found {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
CAST(`channel` AS CHAR) AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
AND (
(
INSTR(`r`.`channel`, 'we') > 0
)
OR (
LEFT(`r`.`channel`, CHAR_LENGTH('a')) = 'a'
)
)
) AS `__answer`;

-- ratio {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS DOUBLE) AS `a0`,
CAST(`a1` AS SIGNED) AS `a1`
FROM (
SELECT
0 AS `cell`,
SUM(CAST(`r`.`amount` AS DOUBLE) / NULLIF(CAST(`r`.`seconds` AS DOUBLE), 0)) AS `a0`,
COUNT(*) AS `a1`
FROM (
SELECT
`paid` AS `paid`,
`amount` AS `amount`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
) AS `__answer`;

-- best_day {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS CHAR) AS `a0`
FROM (
SELECT
`m`.`cell` AS `cell`,
MAX(`__value`.`__value`) AS `a0`
FROM (
WITH `__summary0` AS (
SELECT
CASE
WHEN `r`.`paid` < CAST('2026-01-15 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-07 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-03 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-01 23:00:00' AS DATETIME(6))
THEN 0
ELSE CASE WHEN `r`.`paid` < CAST('2026-01-02 23:00:00' AS DATETIME(6)) THEN 1 ELSE 2 END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-05 23:00:00' AS DATETIME(6))
THEN CASE WHEN `r`.`paid` < CAST('2026-01-04 23:00:00' AS DATETIME(6)) THEN 3 ELSE 4 END
ELSE CASE WHEN `r`.`paid` < CAST('2026-01-06 23:00:00' AS DATETIME(6)) THEN 5 ELSE 6 END
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-11 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-09 23:00:00' AS DATETIME(6))
THEN CASE WHEN `r`.`paid` < CAST('2026-01-08 23:00:00' AS DATETIME(6)) THEN 7 ELSE 8 END
ELSE CASE WHEN `r`.`paid` < CAST('2026-01-10 23:00:00' AS DATETIME(6)) THEN 9 ELSE 10 END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-13 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-12 23:00:00' AS DATETIME(6))
THEN 11
ELSE 12
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-14 23:00:00' AS DATETIME(6))
THEN 13
ELSE 14
END
END
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-23 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-19 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-17 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-16 23:00:00' AS DATETIME(6))
THEN 15
ELSE 16
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-18 23:00:00' AS DATETIME(6))
THEN 17
ELSE 18
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-21 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-20 23:00:00' AS DATETIME(6))
THEN 19
ELSE 20
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-22 23:00:00' AS DATETIME(6))
THEN 21
ELSE 22
END
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-27 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-25 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-24 23:00:00' AS DATETIME(6))
THEN 23
ELSE 24
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-26 23:00:00' AS DATETIME(6))
THEN 25
ELSE 26
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-29 23:00:00' AS DATETIME(6))
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-28 23:00:00' AS DATETIME(6))
THEN 27
ELSE 28
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-30 23:00:00' AS DATETIME(6))
THEN 29
ELSE 30
END
END
END
END
END AS `cell`,
SUM(`r`.`amount`) AS `a0`,
COUNT(*) AS `a1`
FROM (
SELECT
`paid` AS `paid`,
`amount` AS `amount`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
GROUP BY
1
), `__periods` AS (
SELECT
CAST(`__v`.`column1` AS SIGNED) AS `__p`,
CAST(`__v`.`column2` AS DATETIME(6)) AS `__period`
FROM (
SELECT
0 AS `column1`,
CAST('2026-01-01 00:00:00' AS DATETIME(6)) AS `column2`
UNION ALL
SELECT
1,
CAST('2026-01-02 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
2,
CAST('2026-01-03 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
3,
CAST('2026-01-04 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
4,
CAST('2026-01-05 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
5,
CAST('2026-01-06 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
6,
CAST('2026-01-07 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
7,
CAST('2026-01-08 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
8,
CAST('2026-01-09 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
9,
CAST('2026-01-10 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
10,
CAST('2026-01-11 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
11,
CAST('2026-01-12 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
12,
CAST('2026-01-13 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
13,
CAST('2026-01-14 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
14,
CAST('2026-01-15 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
15,
CAST('2026-01-16 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
16,
CAST('2026-01-17 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
17,
CAST('2026-01-18 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
18,
CAST('2026-01-19 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
19,
CAST('2026-01-20 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
20,
CAST('2026-01-21 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
21,
CAST('2026-01-22 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
22,
CAST('2026-01-23 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
23,
CAST('2026-01-24 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
24,
CAST('2026-01-25 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
25,
CAST('2026-01-26 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
26,
CAST('2026-01-27 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
27,
CAST('2026-01-28 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
28,
CAST('2026-01-29 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
29,
CAST('2026-01-30 00:00:00' AS DATETIME(6))
UNION ALL
SELECT
30,
CAST('2026-01-31 00:00:00' AS DATETIME(6))
) AS `__v`
), `__values0` AS (
SELECT
`__periods`.`__p`,
`__periods`.`__period`,
COALESCE(`s.0`.`a0`, CASE WHEN COALESCE(`s.0`.`a1`, 0) = 0 THEN 0 END) AS `__value`
FROM `__periods`
LEFT JOIN `__summary0` AS `s.0`
ON `s.0`.`cell` = `__periods`.`__p`
)
SELECT
`__p` AS `__p`,
`__value` AS `__value`
FROM `__values0`
) AS `__value`
INNER JOIN (
SELECT
CAST(`__v`.`column1` AS SIGNED) AS `piece`,
CAST(`__v`.`column2` AS SIGNED) AS `cell`
FROM (
SELECT
0 AS `column1`,
0 AS `column2`
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
) AS `__v`
) AS `m`
ON `m`.`piece` = `__value`.`__p`
GROUP BY
1
) AS `__answer`;

-- first_local {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`at` AS `at`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`at` >= CAST('2026-01-01 00:00:00' AS DATETIME(6))
AND `r`.`at` < CAST('2026-02-01 00:00:00' AS DATETIME(6))
) AS `__answer`;

-- pieces {'period': '2026-01'}
-- 0 rows of `stock` travel, because `groups` is not the same there
SELECT
CAST(`r`.`day` AS CHAR) AS `day`,
CAST(`r`.`shop_id` AS SIGNED) AS `shop_id`,
CAST(`r`.`pieces` AS SIGNED) AS `pieces`
FROM (
SELECT
`day` AS `day`,
`shop_id` AS `shop_id`,
`pieces` AS `pieces`
FROM `shop`.`stock`
) AS `r`;

-- revenue {'by': 'region', 'grain': 'month', 'period': '2026-Q1'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`__d_region` AS CHAR) AS `__d_region`,
CAST(`a0` AS CHAR) AS `a0`,
CAST(`a1` AS SIGNED) AS `a1`
FROM (
SELECT
CASE
WHEN `r`.`paid` < CAST('2026-01-31 23:00:00' AS DATETIME(6))
THEN 0
ELSE CASE WHEN `r`.`paid` < CAST('2026-02-28 23:00:00' AS DATETIME(6)) THEN 1 ELSE 2 END
END AS `cell`,
`r.shop`.`region` AS `__d_region`,
SUM(`r`.`amount`) AS `a0`,
COUNT(*) AS `a1`
FROM (
SELECT
`paid` AS `paid`,
`shop_id` AS `shop_id`,
`amount` AS `amount`
FROM `shop`.`sales`
) AS `r`
LEFT JOIN (
SELECT
`shop_id` AS `shop_id`,
CAST(`region` AS CHAR) AS `region`
FROM `shop`.`shops`
) AS `r.shop`
ON `r`.`shop_id` = `r.shop`.`shop_id`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-03-31 22:00:00' AS DATETIME(6))
GROUP BY
1,
2
) AS `__answer`;

-- orders {'by': 'channel', 'period': '2026-01-05..2026-01-20', 'compare': 'previous_period'}
-- aggregates travel
SELECT
CAST(`cell` AS SIGNED) AS `cell`,
CAST(`__d_channel` AS CHAR) AS `__d_channel`,
CAST(`a0` AS SIGNED) AS `a0`
FROM (
SELECT
CASE WHEN `r`.`paid` < CAST('2026-01-04 23:00:00' AS DATETIME(6)) THEN 1 ELSE 0 END AS `cell`,
`r`.`channel` AS `__d_channel`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
CAST(`channel` AS CHAR) AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-19 23:00:00' AS DATETIME(6))
AND `r`.`paid` < CAST('2026-01-20 23:00:00' AS DATETIME(6))
GROUP BY
1,
2
) AS `__answer`;
