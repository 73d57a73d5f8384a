{{ config(alias='transfer_count') }}
{{ suppress(ref('transfer_count'), ['week', 'from_school_id', 'to_school_id', 'kind'], ['students'], counts=['students']) }}
