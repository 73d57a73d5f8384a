{{ config(alias='lms_membership_gap') }}
-- Where what the roster has of a class is hidden it has no rows: one row alone would be all of the class.
{{ suppress("(select * from " ~ ref('lms_membership_cell') ~ " where kind in ('only_lms', 'class_not_found') or shown_size >= " ~ var('small_cell', 10) ~ ")",
            ['lms', 'class_id', 'class_key', 'kind'], ['members', 'since'], counts=['shown_size']) }}
