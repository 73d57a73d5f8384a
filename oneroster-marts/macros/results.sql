{# What the status of a result means. `result` is the name of a relation with the columns of stg_oneroster__results. #}

{# Not counted anywhere: the student need not do the work. Vendors have words of their own for it. #}
{% macro is_exempt(result) %}
    {%- set status = "lower(coalesce(" ~ result ~ ".score_status, ''))" -%}
    {{ return("(" ~ status ~ " in ('exempt', 'excused') or " ~ status ~ " like 'ext:%exempt%' or " ~ status ~ " like 'ext:%excus%')") }}
{% endmacro %}

{# Graded to the end; a source without statuses gives a score. #}
{% macro is_graded(result) %}
    {{ return("(" ~ result ~ ".score_status = 'fully graded' or (" ~ result ~ ".score_status is null and (" ~ result
              ~ ".score is not null or " ~ result ~ ".text_score is not null)))") }}
{% endmacro %}
