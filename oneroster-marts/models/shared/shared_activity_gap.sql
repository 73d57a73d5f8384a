{{ config(alias='activity_gap') }}
{{ suppress(ref('activity_cell'), ['vendor', 'product', 'school_id', 'grade', 'class_id'], ['enrolled', 'matched', 'active_30', 'gap'],
            counts=['shown_size']) }}
