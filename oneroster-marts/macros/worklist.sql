{# The rules of the worklist: their limits, and how their numbers are compared and said. #}

{# A limit of a rule, from var `at_risk`; dbt_project.yml has all. #}
{% macro limit_of(name) %}
    {%- set value = var('at_risk').get(name) -%}
    {%- if value is not number or value is boolean -%}
        {%- do exceptions.raise_compiler_error('oneroster_marts: var at_risk has no number ' ~ name ~ ', which the worklist needs') -%}
    {%- endif -%}
    {{ return(value | int if value == value | int else value) }}
{% endmacro %}

{# True for less than a limit. What is equal but for the last digits of a computed number is not less. #}
{% macro is_below(value, limit) %}{{ return('(' ~ value ~ ' < ' ~ limit ~ ' - 0.000001)') }}{% endmacro %}

{# A number of a sentence, without its fraction: rounded down, so that what is below a limit is so in the sentence. #}
{% macro said(value) %}{{ return('cast(cast(floor(' ~ value ~ ' + 0.000001) as ' ~ type_of('whole') ~ ') as ' ~ type_of('text') ~ ')') }}{% endmacro %}

{# The days as of which the rules are asked: today, and a week ago. #}
{% macro rule_days() %}
select {{ today() }} as as_of
union all
select {{ plus_days(today(), -7) }} as as_of
{% endmacro %}

{# The words for the days in which the latest work was due. #}
{% macro in_the_window() %}{{ return('in the last four weeks' if limit_of('window_days') == 28 else 'in the last ' ~ limit_of('window_days') ~ ' days') }}{% endmacro %}
