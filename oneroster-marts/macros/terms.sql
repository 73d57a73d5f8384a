{# The spans of the terms of each school's classes; the school of a class that has none is null. #}
{% macro term_spans() -%}
select distinct
        classes.school_id,
        terms.begin_date,
        terms.end_date
    from {{ ref('bridge_class_term') }} as terms
    inner join {{ ref('dim_class') }} as classes on terms.class_id = classes.class_id
    where terms.begin_date is not null and terms.end_date is not null
{%- endmacro %}
