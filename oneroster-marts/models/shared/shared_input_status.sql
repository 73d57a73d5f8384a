{{ config(alias='input_status') }}
-- depends_on: {{ ref('dim_school') }}
-- depends_on: {{ ref('dim_person') }}
-- depends_on: {{ ref('dim_class') }}
-- depends_on: {{ ref('dim_session') }}
-- depends_on: {{ ref('dim_course') }}
-- depends_on: {{ ref('grade_levels') }}
-- depends_on: {{ ref('user_key') }}
-- depends_on: {{ ref('class_key') }}
{% for name in input_names() %}
{%- set input = ref('input_' ~ name) %}
select
    '{{ name }}' as {{ adapter.quote(source_name('input')) }},
    {{ 'true' if is_given(name) else 'false' }} as given,
    (select count(*) from {{ input }}) + (select count(*) from ({{ read_input(name, rejected=true) }}) as refused) as {{ adapter.quote(source_name('rows')) }},
    (select count(*) from {{ input }} as its where {{ unmatched(name) }}) as unmatched,
    (select count(*) from ({{ read_input(name, rejected=true) }}) as refused) as rejected
{{ 'union all' if not loop.last }}
{%- endfor %}
