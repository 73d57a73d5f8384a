{{ config(alias='licence_gap') }}
{{ suppress(ref('licence_cell'), ['contract_id', 'vendor', 'product', 'school_id'],
            ['seats', 'entitled', 'matched', 'active_30', 'unused_seats', 'over_use', 'match_rate', 'cost_unused'],
            counts=['shown_size'], rates={'match_rate': 'shown_size'}) }}
