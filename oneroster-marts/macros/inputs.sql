{# Inputs: data that OneRoster does not carry, each with a contract of its own in models/inputs/input_<name>.yml. #}

{% macro input_names() %}
    {{ return(['attendance', 'licences', 'vendor_activity', 'lms_memberships', 'final_grades', 'calendar_days', 'staff_fte']) }}
{% endmacro %}

{# True if an input is given: named in var `inputs`. #}
{% macro is_given(name) %}{{ return((var('inputs', {}) or {}).get(name) is not none) }}{% endmacro %}

{# Reads an input: typed columns of its contract; empty where it is not given. Rows in which a value cannot be read, or a
   required one is missing, are left out; `rejected` gives these alone, as one column. #}
{% macro read_input(name, rejected=false) %}
    {%- set contract = graph.nodes['model.oneroster_marts.input_' ~ name].columns.values() | list if execute else [] -%}
    {%- if not contract %}
select 1 as nothing where false
    {%- elif not is_given(name) %}
        {%- if rejected %}
select 1 as rejected where false
        {%- else %}
select
            {%- for column in contract %}
    cast(null as {{ type_of(column.data_type) }}) as {{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
where false
        {%- endif %}
    {%- else %}
        {%- set relation = input_relation(name) -%}
        {%- set present = {} -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do present.update({column.name | lower: column}) -%}
        {%- endfor -%}
        {%- set unread = [] -%}
        {%- for column in contract -%}
            {%- set meta = column.config.meta if column.config else column.meta -%}
            {%- if column.name not in present and not meta.may_be_missing -%}
                {%- do not_there('column', column.name, 'input ' ~ name) -%}
            {%- endif -%}
            {%- if column.name in present -%}
                {%- set found = quoted(present[column.name]) -%}
                {%- do unread.append('(typed.' ~ column.name ~ ' is null and ' ~ (
                    'true' if meta.required else "nullif(trim(cast(loaded." ~ found ~ " as " ~ type_of('text') ~ ")), '') is not null") ~ ')') -%}
            {%- endif -%}
        {%- endfor %}
with loaded as (
    select
        *,
        row_number() over (order by 1) as row_of_input
    from {{ relation }}
),

typed as (
    select
        {%- for column in contract %}
        {{ input_column(present, column) }} as {{ column.name }},
        {%- endfor %}
        row_of_input
    from loaded
)

        {%- if rejected %}

select 1 as rejected
        {%- else %}

select
            {%- for column in contract %}
    typed.{{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        {%- endif %}
from typed
inner join loaded on typed.row_of_input = loaded.row_of_input
where {{ '' if rejected else 'not ' }}({{ unread | join(' or ') }})
    {%- endif %}
{% endmacro %}

{% macro input_column(present, column) %}
    {%- set found = present.get(column.name) -%}
    {%- if not found -%}{{ return('cast(null as ' ~ type_of(column.data_type) ~ ')') }}{%- endif -%}
    {%- if found.is_string() -%}{{ return(read_text(column.data_type, quoted(found))) }}{%- endif -%}
    {{ return(as_type(column.data_type, quoted(found), found.data_type)) }}
{% endmacro %}

{# The relation of an input, which var `inputs` names as schema.table or database.schema.table. #}
{% macro input_relation(name) %}
    {%- set parts = var('inputs')[name].split('.') -%}
    {%- if parts | length == 1 -%}
        {%- set parts = [var('oneroster_schema', 'oneroster')] + parts -%}
    {%- endif -%}
    {%- set database = parts[0] if parts | length == 3 else source_database() -%}
    {%- set relation = adapter.get_relation(database, parts[-2], parts[-1])
        or adapter.get_relation(database, source_name(parts[-2]), source_name(parts[-1])) -%}
    {%- if not relation -%}{%- do not_there('table', var('inputs')[name], 'input ' ~ name) -%}{%- endif -%}
    {{ return(relation) }}
{% endmacro %}

{# True for a row of an input (as `its`) that names something that the roster does not have: columns whose `refers_to`
   names a column of a dimension; and what macro `unmatched_<name>` adds. #}
{% macro unmatched(name) %}
    {%- set faults = [] -%}
    {%- for column in (graph.nodes['model.oneroster_marts.input_' ~ name].columns.values() if execute else []) -%}
        {%- set meta = column.config.meta if column.config else column.meta -%}
        {%- if meta.refers_to -%}
            {%- set model, key = meta.refers_to.split('.') -%}
            {%- do faults.append('(its.' ~ column.name ~ ' is not null and not exists (select 1 from ' ~ ref(model)
                                 ~ ' as known where known.' ~ key ~ ' = its.' ~ column.name ~ '))') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set more = context['unmatched_' ~ name] -%}
    {%- if more -%}{%- do faults.append('(' ~ more() ~ ')') -%}{%- endif -%}
    {{ return(faults | join(' or ') or 'false') }}
{% endmacro %}
