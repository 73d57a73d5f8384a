{{ config(alias='licence_gap') }}
-- The rate of accounts that match is compared with 95, so it is not rounded.
{{ suppress(ref('licence_cell'), ['contract_id', 'vendor', 'product', 'school_id'],
            ['seats', 'entitled', 'matched', 'active_30', 'active_20_school_days', 'unused_seats', 'over_use', 'match_rate', 'cost_unused'],
            counts=['shown_size'], rates={'match_rate': 'shown_size'}, is_whole=false) }}
