-- orders {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
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
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- mean_seconds {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS FLOAT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
(
CAST(SUM(`r`.`seconds`) AS FLOAT64) / CAST(NULLIF(COUNT(`r`.`seconds`), 0) AS FLOAT64)
) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- mean_amount {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS FLOAT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
(
CAST(SUM(CAST(`r`.`amount` AS BIGNUMERIC)) AS FLOAT64) / CAST(NULLIF(COUNT(CAST(`r`.`amount` AS BIGNUMERIC)), 0) AS FLOAT64)
) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`amount` AS `amount`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- channels {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(DISTINCT `r`.`channel`) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
COLLATE(`channel`, '') AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- spread {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS FLOAT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
CASE
WHEN COUNT(
CASE
WHEN NOT (
CAST(`r`.`seconds` AS FLOAT64) > CAST('-inf' AS FLOAT64)
AND CAST(`r`.`seconds` AS FLOAT64) < CAST('inf' AS FLOAT64)
)
THEN 1
END
) = 0
THEN STDDEV_SAMP(
CAST(CASE
WHEN (
CAST(`r`.`seconds` AS FLOAT64) > CAST('-inf' AS FLOAT64)
AND CAST(`r`.`seconds` AS FLOAT64) < CAST('inf' AS FLOAT64)
)
THEN CAST(`r`.`seconds` AS FLOAT64)
END AS FLOAT64)
)
END AS `a0`
FROM (
SELECT
`paid` AS `paid`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- middle {'period': '2026-01'}
-- 0 rows of `sales` travel, because `median` is not the same there
SELECT
CAST(`r`.`paid` AS STRING) AS `paid`,
CAST(`r`.`rate` AS FLOAT64) AS `rate`
FROM (
SELECT
`paid` AS `paid`,
`rate` AS `rate`
FROM `shop`.`sales`
) AS `r`
WHERE
(
(
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
)
AND (
`r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
)
);

-- of_web {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS STRING) AS `a0`,
CAST(`a1` AS INT64) AS `a1`
FROM (
SELECT
0 AS `cell`,
SUM(CAST(`r`.`amount` AS BIGNUMERIC)) AS `a0`,
COUNT(*) AS `a1`
FROM (
SELECT
`paid` AS `paid`,
COLLATE(`channel`, '') AS `channel`,
`amount` AS `amount`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`amount` > CAST('0.5' AS BIGNUMERIC)
AND `r`.`channel` = 'web'
) AS `__answer`;

-- quoted {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
COLLATE(`channel`, '') AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`channel` = 'o\'x\\y'
) AS `__answer`;

-- doubled {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS STRING) AS `a0`,
CAST(`a1` AS INT64) AS `a1`
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
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- known {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
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
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
AND NOT `r`.`is_new` IS TRUE
) AS `__answer`;

-- same {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
COLLATE(`channel`, '') AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`channel` IS NOT DISTINCT FROM 'web'
) AS `__answer`;

-- longest {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
MAX(CHAR_LENGTH(`r`.`channel`)) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
COLLATE(`channel`, '') AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- least {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
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
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- found {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
FROM (
SELECT
0 AS `cell`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
COLLATE(`channel`, '') AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
AND (
(
STRPOS(`r`.`channel`, 'we') > 0
) OR STARTS_WITH(`r`.`channel`, 'a')
)
) AS `__answer`;

-- ratio {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS FLOAT64) AS `a0`,
CAST(`a1` AS INT64) AS `a1`
FROM (
SELECT
0 AS `cell`,
SUM(CAST(`r`.`amount` AS FLOAT64) / NULLIF(CAST(`r`.`seconds` AS FLOAT64), 0)) AS `a0`,
COUNT(*) AS `a1`
FROM (
SELECT
`paid` AS `paid`,
`amount` AS `amount`,
`seconds` AS `seconds`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
) AS `__answer`;

-- best_day {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS STRING) AS `a0`
FROM (
SELECT
`m`.`cell` AS `cell`,
MAX(`__value`.`__value`) AS `a0`
FROM (
WITH `__summary0` AS (
SELECT
CASE
WHEN `r`.`paid` < CAST('2026-01-15 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-07 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-03 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-01 23:00:00+00:00' AS TIMESTAMP)
THEN 0
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-02 23:00:00+00:00' AS TIMESTAMP)
THEN 1
ELSE 2
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-05 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-04 23:00:00+00:00' AS TIMESTAMP)
THEN 3
ELSE 4
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-06 23:00:00+00:00' AS TIMESTAMP)
THEN 5
ELSE 6
END
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-11 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-09 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-08 23:00:00+00:00' AS TIMESTAMP)
THEN 7
ELSE 8
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-10 23:00:00+00:00' AS TIMESTAMP)
THEN 9
ELSE 10
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-13 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-12 23:00:00+00:00' AS TIMESTAMP)
THEN 11
ELSE 12
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-14 23:00:00+00:00' AS TIMESTAMP)
THEN 13
ELSE 14
END
END
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-23 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-19 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-17 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-16 23:00:00+00:00' AS TIMESTAMP)
THEN 15
ELSE 16
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-18 23:00:00+00:00' AS TIMESTAMP)
THEN 17
ELSE 18
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-21 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-20 23:00:00+00:00' AS TIMESTAMP)
THEN 19
ELSE 20
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-22 23:00:00+00:00' AS TIMESTAMP)
THEN 21
ELSE 22
END
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-27 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-25 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-24 23:00:00+00:00' AS TIMESTAMP)
THEN 23
ELSE 24
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-26 23:00:00+00:00' AS TIMESTAMP)
THEN 25
ELSE 26
END
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-29 23:00:00+00:00' AS TIMESTAMP)
THEN CASE
WHEN `r`.`paid` < CAST('2026-01-28 23:00:00+00:00' AS TIMESTAMP)
THEN 27
ELSE 28
END
ELSE CASE
WHEN `r`.`paid` < CAST('2026-01-30 23:00:00+00:00' AS TIMESTAMP)
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
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
GROUP BY
1
), `__periods` AS (
SELECT
CAST(`__v`.`column1` AS INT64) AS `__p`,
CAST(`__v`.`column2` AS DATETIME) AS `__period`
FROM UNNEST([
STRUCT(0 AS `column1`, CAST('2026-01-01 00:00:00' AS DATETIME) AS `column2`),
STRUCT(1 AS `column1`, CAST('2026-01-02 00:00:00' AS DATETIME) AS `column2`),
STRUCT(2 AS `column1`, CAST('2026-01-03 00:00:00' AS DATETIME) AS `column2`),
STRUCT(3 AS `column1`, CAST('2026-01-04 00:00:00' AS DATETIME) AS `column2`),
STRUCT(4 AS `column1`, CAST('2026-01-05 00:00:00' AS DATETIME) AS `column2`),
STRUCT(5 AS `column1`, CAST('2026-01-06 00:00:00' AS DATETIME) AS `column2`),
STRUCT(6 AS `column1`, CAST('2026-01-07 00:00:00' AS DATETIME) AS `column2`),
STRUCT(7 AS `column1`, CAST('2026-01-08 00:00:00' AS DATETIME) AS `column2`),
STRUCT(8 AS `column1`, CAST('2026-01-09 00:00:00' AS DATETIME) AS `column2`),
STRUCT(9 AS `column1`, CAST('2026-01-10 00:00:00' AS DATETIME) AS `column2`),
STRUCT(10 AS `column1`, CAST('2026-01-11 00:00:00' AS DATETIME) AS `column2`),
STRUCT(11 AS `column1`, CAST('2026-01-12 00:00:00' AS DATETIME) AS `column2`),
STRUCT(12 AS `column1`, CAST('2026-01-13 00:00:00' AS DATETIME) AS `column2`),
STRUCT(13 AS `column1`, CAST('2026-01-14 00:00:00' AS DATETIME) AS `column2`),
STRUCT(14 AS `column1`, CAST('2026-01-15 00:00:00' AS DATETIME) AS `column2`),
STRUCT(15 AS `column1`, CAST('2026-01-16 00:00:00' AS DATETIME) AS `column2`),
STRUCT(16 AS `column1`, CAST('2026-01-17 00:00:00' AS DATETIME) AS `column2`),
STRUCT(17 AS `column1`, CAST('2026-01-18 00:00:00' AS DATETIME) AS `column2`),
STRUCT(18 AS `column1`, CAST('2026-01-19 00:00:00' AS DATETIME) AS `column2`),
STRUCT(19 AS `column1`, CAST('2026-01-20 00:00:00' AS DATETIME) AS `column2`),
STRUCT(20 AS `column1`, CAST('2026-01-21 00:00:00' AS DATETIME) AS `column2`),
STRUCT(21 AS `column1`, CAST('2026-01-22 00:00:00' AS DATETIME) AS `column2`),
STRUCT(22 AS `column1`, CAST('2026-01-23 00:00:00' AS DATETIME) AS `column2`),
STRUCT(23 AS `column1`, CAST('2026-01-24 00:00:00' AS DATETIME) AS `column2`),
STRUCT(24 AS `column1`, CAST('2026-01-25 00:00:00' AS DATETIME) AS `column2`),
STRUCT(25 AS `column1`, CAST('2026-01-26 00:00:00' AS DATETIME) AS `column2`),
STRUCT(26 AS `column1`, CAST('2026-01-27 00:00:00' AS DATETIME) AS `column2`),
STRUCT(27 AS `column1`, CAST('2026-01-28 00:00:00' AS DATETIME) AS `column2`),
STRUCT(28 AS `column1`, CAST('2026-01-29 00:00:00' AS DATETIME) AS `column2`),
STRUCT(29 AS `column1`, CAST('2026-01-30 00:00:00' AS DATETIME) AS `column2`),
STRUCT(30 AS `column1`, CAST('2026-01-31 00:00:00' AS DATETIME) AS `column2`)
]) AS `__v`
), `__values0` AS (
SELECT
`__periods`.`__p`,
`__periods`.`__period`,
COALESCE(`s$0`.`a0`, CASE WHEN COALESCE(`s$0`.`a1`, 0) = 0 THEN 0 END) AS `__value`
FROM `__periods`
LEFT JOIN `__summary0` AS `s$0`
ON `s$0`.`cell` = `__periods`.`__p`
)
SELECT
`__p` AS `__p`,
`__value` AS `__value`
FROM `__values0`
) AS `__value`
INNER JOIN (
SELECT
CAST(`__v`.`column1` AS INT64) AS `piece`,
CAST(`__v`.`column2` AS INT64) AS `cell`
FROM UNNEST([
STRUCT(0 AS `column1`, 0 AS `column2`),
STRUCT(1 AS `column1`, 0 AS `column2`),
STRUCT(2 AS `column1`, 0 AS `column2`),
STRUCT(3 AS `column1`, 0 AS `column2`),
STRUCT(4 AS `column1`, 0 AS `column2`),
STRUCT(5 AS `column1`, 0 AS `column2`),
STRUCT(6 AS `column1`, 0 AS `column2`),
STRUCT(7 AS `column1`, 0 AS `column2`),
STRUCT(8 AS `column1`, 0 AS `column2`),
STRUCT(9 AS `column1`, 0 AS `column2`),
STRUCT(10 AS `column1`, 0 AS `column2`),
STRUCT(11 AS `column1`, 0 AS `column2`),
STRUCT(12 AS `column1`, 0 AS `column2`),
STRUCT(13 AS `column1`, 0 AS `column2`),
STRUCT(14 AS `column1`, 0 AS `column2`),
STRUCT(15 AS `column1`, 0 AS `column2`),
STRUCT(16 AS `column1`, 0 AS `column2`),
STRUCT(17 AS `column1`, 0 AS `column2`),
STRUCT(18 AS `column1`, 0 AS `column2`),
STRUCT(19 AS `column1`, 0 AS `column2`),
STRUCT(20 AS `column1`, 0 AS `column2`),
STRUCT(21 AS `column1`, 0 AS `column2`),
STRUCT(22 AS `column1`, 0 AS `column2`),
STRUCT(23 AS `column1`, 0 AS `column2`),
STRUCT(24 AS `column1`, 0 AS `column2`),
STRUCT(25 AS `column1`, 0 AS `column2`),
STRUCT(26 AS `column1`, 0 AS `column2`),
STRUCT(27 AS `column1`, 0 AS `column2`),
STRUCT(28 AS `column1`, 0 AS `column2`),
STRUCT(29 AS `column1`, 0 AS `column2`),
STRUCT(30 AS `column1`, 0 AS `column2`)
]) AS `__v`
) AS `m`
ON `m`.`piece` = `__value`.`__p`
GROUP BY
1
) AS `__answer`;

-- first_local {'period': '2026-01'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`a0` AS INT64) AS `a0`
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
`r`.`at` >= CAST('2026-01-01 00:00:00' AS DATETIME)
AND `r`.`at` < CAST('2026-02-01 00:00:00' AS DATETIME)
) AS `__answer`;

-- pieces {'period': '2026-01'}
-- 0 rows of `stock` travel, because `groups` is not the same there
SELECT
CAST(`r`.`day` AS STRING) AS `day`,
CAST(`r`.`shop_id` AS INT64) AS `shop_id`,
CAST(`r`.`pieces` AS INT64) AS `pieces`
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
CAST(`cell` AS INT64) AS `cell`,
CAST(`__d_region` AS STRING) AS `__d_region`,
CAST(`a0` AS STRING) AS `a0`,
CAST(`a1` AS INT64) AS `a1`
FROM (
SELECT
CASE
WHEN `r`.`paid` < CAST('2026-01-31 23:00:00+00:00' AS TIMESTAMP)
THEN 0
ELSE CASE
WHEN `r`.`paid` < CAST('2026-02-28 23:00:00+00:00' AS TIMESTAMP)
THEN 1
ELSE 2
END
END AS `cell`,
`r$shop`.`region` AS `__d_region`,
SUM(CAST(`r`.`amount` AS BIGNUMERIC)) AS `a0`,
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
COLLATE(`region`, '') AS `region`
FROM `shop`.`shops`
) AS `r$shop`
ON `r`.`shop_id` = `r$shop`.`shop_id`
WHERE
`r`.`paid` >= CAST('2025-12-31 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-03-31 22:00:00+00:00' AS TIMESTAMP)
GROUP BY
1,
2
) AS `__answer`;

-- orders {'by': 'channel', 'period': '2026-01-05..2026-01-20', 'compare': 'previous_period'}
-- aggregates travel
SELECT
CAST(`cell` AS INT64) AS `cell`,
CAST(`__d_channel` AS STRING) AS `__d_channel`,
CAST(`a0` AS INT64) AS `a0`
FROM (
SELECT
CASE
WHEN `r`.`paid` < CAST('2026-01-04 23:00:00+00:00' AS TIMESTAMP)
THEN 1
ELSE 0
END AS `cell`,
`r`.`channel` AS `__d_channel`,
COUNT(*) AS `a0`
FROM (
SELECT
`paid` AS `paid`,
COLLATE(`channel`, '') AS `channel`
FROM `shop`.`sales`
) AS `r`
WHERE
`r`.`paid` >= CAST('2025-12-19 23:00:00+00:00' AS TIMESTAMP)
AND `r`.`paid` < CAST('2026-01-20 23:00:00+00:00' AS TIMESTAMP)
GROUP BY
1,
2
) AS `__answer`;
