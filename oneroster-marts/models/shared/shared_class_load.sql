{{ config(alias='class_load') }}
{{ shown(ref('class_load')) }}
