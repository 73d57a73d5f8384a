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
            {%- set meta = column_meta(column) -%}
            {%- if column.name not in present and not meta.may_be_missing -%}
                {%- do not_there('column', column.name, 'input ' ~ name) -%}
            {%- endif -%}
            {%- if column.name in present -%}
                {%- do unread.append('(typed.' ~ column.name ~ ' is null and ' ~ ('true' if meta.required else 'typed.has_' ~ column.name) ~ ')') -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if not rejected -%}{%- do check_input(name, contract, relation, present) -%}{%- endif -%}
        {%- if rejected %}
select 1 as rejected
        {%- else %}
select
            {%- for column in contract %}
    typed.{{ column.name }}{{ ',' if not loop.last }}
            {%- endfor %}
        {%- endif %}
from (
    select
        {%- for column in contract %}
        {%- if column.name in present %}
        nullif(trim(cast({{ quoted(present[column.name]) }} as {{ type_of('text') }})), '') is not null as has_{{ column.name }},
        {%- endif %}
        {{ input_column(present, column) }} as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
) as typed
where {{ '' if rejected else 'not ' }}({{ unread | join(' or ') }})
    {%- endif %}
{% endmacro %}

{% macro column_meta(column) %}{{ return((column.config.meta if column.config else column.meta) or {}) }}{% endmacro %}

{# A column of an input by its contract: its type, its `words` in whatever case, and its bounds `least` and `most`; what is
   none of these is null. #}
{% macro input_column(present, column) %}
    {%- set found = present.get(column.name) -%}
    {%- set meta = column_meta(column) -%}
    {%- if not found -%}{{ return('cast(null as ' ~ type_of(column.data_type) ~ ')') }}{%- endif -%}
    {%- if found.is_string() -%}
        {%- set value = read_text(column.data_type, quoted(found)) -%}
    {%- else -%}
        {%- set value = as_type(column.data_type, quoted(found), found.data_type) -%}
    {%- endif -%}
    {%- if meta.words -%}
        {%- set cases = [] -%}
        {%- for word in meta.words -%}{%- do cases.append("when '" ~ word | lower ~ "' then '" ~ word ~ "'") -%}{%- endfor -%}
        {{ return('case lower(' ~ value ~ ') ' ~ cases | join(' ') ~ ' end') }}
    {%- endif -%}
    {%- set bounds = [] -%}
    {%- if meta.least is defined -%}{%- do bounds.append(value ~ ' >= ' ~ meta.least) -%}{%- endif -%}
    {%- if meta.most is defined -%}{%- do bounds.append(value ~ ' <= ' ~ meta.most) -%}{%- endif -%}
    {{ return('case when ' ~ bounds | join(' and ') ~ ' then ' ~ value ~ ' end' if bounds else value) }}
{% endmacro %}

{# Refuses an input that contradicts itself, by the name of the first row: a column is before the one that its `not_before`
   names, or two rows have the same `key`, which the contract's meta names. #}
{% macro check_input(name, contract, relation, present) %}
    {%- set meta = graph.nodes['model.oneroster_marts.input_' ~ name].config.meta or {} -%}
    {%- if meta.key -%}
        {%- set typed = {} -%}
        {%- for column in contract -%}{%- do typed.update({column.name: input_column(present, column)}) -%}{%- endfor -%}
        {%- set id = typed[meta.key[0]] -%}
        {%- for column in contract if column_meta(column).not_before -%}
            {%- set other = column_meta(column).not_before -%}
            {%- do refuse_input(name, 'select min(' ~ id ~ ') as id from ' ~ relation ~ ' where ' ~ typed[column.name] ~ ' < ' ~ typed[other],
                                column.name ~ ' is before ' ~ other ~ '; correct the dates') -%}
        {%- endfor -%}
        {%- set keys = [] -%}
        {%- for column in meta.key -%}{%- do keys.append(typed[column]) -%}{%- endfor -%}
        {%- do refuse_input(name, 'select min(id) as id from (select ' ~ id ~ ' as id from ' ~ relation ~ ' where ' ~ id ~ ' is not null group by '
                            ~ keys | join(', ') ~ ' having count(*) > 1) as twice',
                            'two rows have the same ' ~ meta.key | join(' and ') ~ '; leave one') -%}
    {%- endif -%}
{% endmacro %}

{% macro refuse_input(name, query, why) %}
    {%- set id = run_query(query).columns[0].values()[0] -%}
    {%- if id is not none -%}
        {%- set what = graph.nodes['model.oneroster_marts.input_' ~ name].config.meta.one -%}
        {%- do exceptions.raise_compiler_error('oneroster_marts: input ' ~ name ~ ', ' ~ what ~ ' ' ~ (id | string | truncate(60, true, '...', 0)
                                               | replace('\n', ' ')) ~ ': ' ~ why) -%}
    {%- endif -%}
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
        {%- set meta = column_meta(column) -%}
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

{# An account names nobody, or more than one person. #}
{% macro unmatched_vendor_activity() %}
    {{ return('not exists (select 1 from ' ~ ref('user_key') ~ ' as known where known.key_kind = its.key_kind and known.user_key = '
              ~ as_key('its.key_kind', 'its.key') ~ ')') }}
{% endmacro %}

{# A membership whose user or class the roster does not have. #}
{% macro unmatched_lms_memberships() %}
    {{ return('not exists (select 1 from ' ~ ref('user_key') ~ ' as known where known.key_kind = its.user_key_kind and known.user_key = '
              ~ as_key('its.user_key_kind', 'its.user_key') ~ ') or not exists (select 1 from ' ~ ref('class_key')
              ~ ' as known where known.key_kind = its.class_key_kind and known.class_key = '
              ~ as_key('its.class_key_kind', 'its.class_key') ~ ')') }}
{% endmacro %}

{# A contract for courses, or for grades, none of which is known. #}
{% macro unmatched_licences() %}
    {{ return('its.course_codes is not null and not exists (select 1 from ' ~ ref('dim_course') ~ ' as known where '
              ~ is_listed('known.course_code', 'its.course_codes') ~ ') or its.grades is not null and not exists (select 1 from '
              ~ ref('dim_person') ~ ' as known where ' ~ is_listed('known.grade', 'its.grades') ~ ') and not exists (select 1 from '
              ~ ref('grade_levels') ~ ' as known where ' ~ is_listed('known.code', 'its.grades') ~ ')') }}
{% endmacro %}

{# A key as it is compared: ids and identifiers exactly, all other kinds in lower case. #}
{% macro as_key(kind, key) %}
    {{ return('case when ' ~ kind ~ " in ('sourcedId', 'identifier') then " ~ key ~ ' else lower(' ~ key ~ ') end') }}
{% endmacro %}

{# True if a word is in a text of words with commas; cases and spaces do not count. #}
{% macro is_listed(word, words) %}
    {{ return("position(',' || upper(replace(" ~ word ~ ", ' ', '')) || ',' in ',' || upper(replace(" ~ words ~ ", ' ', '')) || ',') > 0") }}
{% endmacro %}

{# The table that an earlier build made of a model, or none. #}
{% macro made_before(relation) %}
    {{ return(adapter.get_relation(relation.database, relation.schema, relation.identifier) if execute else none) }}
{% endmacro %}

{# True if a table has a later day than the one that is described. #}
{% macro is_after_today(relation, column) %}
    {{ return(run_query('select count(*) as days from ' ~ relation ~ ' where ' ~ column ~ ' > ' ~ today()).columns[0].values()[0] > 0) }}
{% endmacro %}

{#- The accounts of each person for a product: one row, active if one of the accounts is, with the last day of use. -#}
{%- macro accounts_of_persons() -%}
select
        vendor,
        product,
        person_id,
        max(case when is_active then 1 else 0 end) as is_active,
        max(last_active_on) as last_active_on
    from {{ ref('vendor_account') }}
    where person_id is not null
    group by vendor, product, person_id
{%- endmacro %}
