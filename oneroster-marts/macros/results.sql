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

{# Not handed in: as the source marks it (1.2), or by a key of its metadata that var `missing_keys` names (1.1), unless it is due
   later; or by its status once the due date is past. #}
{% macro is_missing(result, due_date) %}
    {%- set marks = ["coalesce(" ~ result ~ ".is_missing, false)"] -%}
    {%- for key in var('missing_keys', []) or [] -%}
        {%- do marks.append("lower(coalesce(" ~ field_of(result ~ '.metadata', key) ~ ", '')) in ('true', 'yes', 'y', '1')") -%}
    {%- endfor -%}
    {{ return("(((" ~ marks | join(' or ') ~ ") and (" ~ due_date ~ " is null or " ~ due_date ~ " <= " ~ today() ~ "))"
              ~ " or (lower(coalesce(" ~ result ~ ".score_status, '')) = 'not submitted' and coalesce(" ~ due_date ~ " < " ~ today() ~ ", false)))") }}
{% endmacro %}

{# Percents from counted rows of fct_result, as a query: the columns of `keys`, results (how many), percent, basis. Categories
   are weighted where their weights add up in the class (table class_weighting); else all points are added. Category and class
   have to be columns of `counted`. #}
{% macro percents_from(counted, keys) %}
select
    {%- for key in keys %}
    by_category.{{ key }},
    {%- endfor %}
    cast(sum(by_category.results) as {{ type_of('whole') }}) as results,
    {{ number('case when min(by_category.is_weighted) = 1 and sum(by_category.weight) > 0'
              ~ ' then 100 * sum(by_category.weighted) / sum(by_category.weight)'
              ~ ' else 100 * sum(by_category.points) / sum(by_category.max_points) end') }} as percent,
    case
        when min(by_category.low_basis) <> max(by_category.high_basis) then 'mixed'
        when min(by_category.is_weighted) = 1 and min(by_category.low_basis) = 'points' then 'weights'
        else min(by_category.low_basis)
    end as basis
from (
    select
        {%- for key in keys %}
        counted.{{ key }},
        {%- endfor %}
        counted.category_id,
        count(*) as results,
        sum(counted.counted_points) as points,
        sum(counted.max_points) as max_points,
        max(weighting.weight) as weight,
        max(weighting.weight) * sum(counted.counted_points) / sum(counted.max_points) as weighted,
        max(case when weighting.weight is not null then 1 else 0 end) as is_weighted,
        min(counted.basis) as low_basis,
        max(counted.basis) as high_basis
    from {{ counted }} as counted
    left join {{ ref('class_weighting') }} as weighting
        on counted.class_id = weighting.class_id and counted.category_id = weighting.category_id
    group by {% for key in keys %}counted.{{ key }}, {% endfor %}counted.category_id
) as by_category
group by {% for key in keys %}by_category.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
{% endmacro %}
