{{ config(alias='activity_gap') }}
{{ suppress(ref('activity_cell'), ['vendor', 'product', 'school_id', 'grade', 'class_id'], ['enrolled', 'matched', 'active_30', 'active_20_school_days', 'gap'],
            counts=['shown_size']) }}
