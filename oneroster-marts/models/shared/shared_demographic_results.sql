{{ config(alias='demographic_results') }}
{{ suppress(ref('demographic_results'), ['school_id', 'grade', 'demographic', 'value'],
            ['students', 'n', 'mean_percent', 'engagement'], counts=['students', 'n'],
            rates={'engagement': 'students'}, within=['school_id', 'grade', 'demographic'], value='value',
            hidden="(select * from " ~ ref('hidden_demographic_cell') ~ " where mart = 'demographic_results') as its") }}
