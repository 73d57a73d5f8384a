{{ config(alias='lms_membership_gap') }}
{{ suppress(ref('lms_membership_cell'), ['lms', 'class_id', 'class_key', 'kind'], ['members', 'since'], counts=['shown_size']) }}
