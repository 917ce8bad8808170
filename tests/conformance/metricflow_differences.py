"""The cases whose answer is not MetricFlow's, with the reason of each.

A reason begins with `refused` where the engine refuses by a rule of the language, with `other` where it gives another answer, and with
`missing` where something is not there yet.
"""

REPEATED = (
    "refused by rule 2: the model declares a key as primary that stands in the data more than once, and the answer counts rows as often as "
    "they meet; here that is an error that shows the keys"
)
DIFFERENCES = {
    "granularity/query_granularity_for_joined_dundered_dimension_day": REPEATED,
    "granularity/query_granularity_for_joined_dundered_dimension_month": REPEATED,
    "granularity/metrics_with_different_time_granularities_and_no_metric_time": REPEATED,
    "multi_hop_join/multihop_join": REPEATED,
    "multi_hop_join/multihop_join_two_dims_different_sources": REPEATED,
    "multi_hop_join/multihop_join_two_dims_same_source": REPEATED,
    "multi_hop_join/mixed_length_joins": REPEATED,
    "dimensions/no_dedupe": "refused by rule 2: rows of a join to many, each as often as it meets another, and no members",
    "dimensions/metric_time_with_other_dimensions": (
        "other by rule 6: members × periods; MetricFlow adds users without a listing (a full outer join), with an unknown period"
    ),
}
