{{ config(alias='teacher_load_distribution') }}
{{ suppress(ref('teacher_load_distribution'), ['school_id', 'term_id', 'measure', 'bin_from', 'bin_to'], ['teachers'], counts=['teachers'],
            within=['school_id', 'term_id', 'measure'], value='bin_from', order=['teachers'], total=none) }}
