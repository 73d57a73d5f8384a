{{ config(alias='worklist_equity') }}
{{ suppress(ref('equity_shown'), ['school_id', 'grade', 'demographic', 'value'],
            ['students', 'flagged_rate', 'cannot_say_rate'], counts=['students'],
            rates={'flagged_rate': 'students', 'cannot_say_rate': 'students'},
            within=['school_id', 'grade', 'demographic'], value='value',
            hidden="(select * from " ~ ref('hidden_demographic_cell') ~ " where mart = 'demographic_results') as its") }}
