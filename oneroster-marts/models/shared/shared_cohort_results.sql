{{ config(alias='cohort_results') }}
{{ suppress(ref('cohort_results'), ['school_id', 'grade', 'course_id', 'term_id', 'demographic', 'value'],
            ['students', 'n', 'mean_percent', 'median_percent', 'missing_rate', 'basis'], counts=['students', 'n'],
            rates={'missing_rate': 'students'}, within=['school_id', 'grade', 'course_id', 'term_id', 'demographic'], value='value',
            hidden="(select * from " ~ ref('hidden_demographic_cell') ~ " where mart = 'cohort_results') as its") }}
