{{ config(alias='enrollment_count') }}
{{ shown(ref('enrollment_count')) }}
