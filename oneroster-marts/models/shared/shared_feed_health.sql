{{ config(alias='feed_health') }}
{{ shown(ref('feed_health')) }}
