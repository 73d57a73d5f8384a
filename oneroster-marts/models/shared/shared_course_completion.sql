{%- set left = adapter.quote(source_name('left')) -%}
{{ config(alias='course_completion') }}
{{ suppress(ref('completion_cell'), ['school_id', 'course_id', 'term_id'],
            ['started', 'completed', 'dropped', left, 'in_progress', 'graded', 'passed', 'pass_rate'],
            counts=['started', 'graded'], rates={'pass_rate': 'graded'}, parts={'passed': 'pass_rate'}) }}
