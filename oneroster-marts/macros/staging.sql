{# Reads a table of the loader: typed columns under plain names, rows of the tenant, without those that are gone.
   `columns`: (name in the standard, name here, kind). A table that was not loaded is empty; a column that is not there
   is null; what stands in `needs` has to be there, and the table with it. `gone` keeps rows that are gone, with the date since when as `gone_on`. #}
{% macro staged(table, columns, gone=false, needs=[]) %}
    {%- set relation = load_table(table) -%}
    {%- if execute and needs and not relation -%}
        {%- do not_there('table', table, 'schema ' ~ var('oneroster_schema', 'oneroster')) -%}
    {%- endif -%}
    {%- set present = {} -%}
    {%- if relation -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do present.update({column.name | lower: column}) -%}
        {%- endfor -%}
        {%- for name in needs if name | lower not in present -%}
            {%- do not_there('column', name, 'table ' ~ table) -%}
        {%- endfor -%}
    {%- endif -%}
{%- if table == 'orgs' and 'tenant' in present -%}{%- do check_tenant(relation, quoted(present['tenant'])) -%}{%- endif %}
select
    {%- for name, ours, kind in columns %}
    {{ staged_column(present, name, kind) }} as {{ ours }}{{ ',' if not loop.last or gone }}
    {%- endfor %}
    {%- if gone %}
    {{ gone_on(present) }} as gone_on
    {%- endif %}
    {%- if relation %}
from {{ relation }}
where true
        {%- if not gone and '_sdc_deleted_at' in present %}
    and _sdc_deleted_at is null
        {%- endif %}
        {%- if not gone and 'status' in present %}
    and ({{ quoted(present['status']) }} is null or {{ quoted(present['status']) }} <> 'tobedeleted')
        {%- endif %}
        {%- if var('tenant', none) and 'tenant' in present %}
    and {{ quoted(present['tenant']) }} = '{{ var('tenant') | replace("'", "''") }}'
        {%- endif %}
    {%- else %}
from (select 1 as nothing) as nowhere
where false
    {%- endif %}
{% endmacro %}

{# Ids are unique within a district only, so one of several has to be chosen. #}
{% macro check_tenant(relation, column) %}
    {%- set tenants = run_query('select distinct ' ~ column ~ ' from ' ~ relation ~ ' order by 1').columns[0].values() -%}
    {%- set tenant = var('tenant', none) -%}
    {%- if tenant and tenant not in tenants -%}
        {%- do exceptions.raise_compiler_error('oneroster_marts: table orgs has no rows of the tenant that the setting names') -%}
    {%- elif not tenant and tenants | length > 1 -%}
        {%- do exceptions.raise_compiler_error('oneroster_marts: table orgs holds ' ~ tenants | length ~ ' tenants; name one in the setting tenant') -%}
    {%- endif -%}
{% endmacro %}

{% macro not_there(what, name, where) %}
    {%- do exceptions.raise_compiler_error('oneroster_marts: ' ~ where ~ ' has no ' ~ what ~ ' ' ~ name ~ ', which the marts need') -%}
{% endmacro %}

{# Since when a row is gone: as the loader found, or else as the source marked it. #}
{% macro gone_on(present) %}
    {%- set times = [] -%}
    {%- if '_sdc_deleted_at' in present -%}{%- do times.append(staged_column(present, '_sdc_deleted_at', 'time')) -%}{%- endif -%}
    {%- if 'status' in present -%}
        {%- for name in ['dateLastModified', '_sdc_received_at'] if name | lower in present -%}
            {%- do times.append("case when " ~ quoted(present['status']) ~ " = 'tobedeleted' then " ~ staged_column(present, name, 'time') ~ " end") -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not times -%}{{ return('cast(null as date)') }}{%- endif -%}
    {%- set found = local_date('coalesce(' ~ times | join(', ') ~ ', null)') -%}
    {%- if 'status' not in present -%}{{ return(found) }}{%- endif -%}
    {{ return('coalesce(' ~ found ~ ', case when ' ~ quoted(present['status']) ~ " = 'tobedeleted' then " ~ today() ~ ' end)') }}
{% endmacro %}

{% macro quoted(column) %}{{ return(adapter.quote(column.name)) }}{% endmacro %}

{% macro staged_column(present, name, kind) %}
    {%- set found = present.get(name | lower) -%}
    {{ return(as_type(kind, quoted(found), found.data_type) if found else 'cast(null as ' ~ type_of(kind) ~ ')') }}
{% endmacro %}

{# The relation of a table of the loader, or none where it was not loaded. #}
{% macro load_table(table) %}
    {{ return(adapter.get_relation(source_database(), source_name(var('oneroster_schema', 'oneroster')) , source_name(table)) if execute else none) }}
{% endmacro %}

{# An end date as the standard means it: the first day after. #}
{% macro exclusive_end(column) %}
    {{ return(plus_days(column, 1) if var('end_dates', 'exclusive') == 'inclusive' else column) }}
{% endmacro %}

{# The same, back as the source writes it. #}
{% macro inclusive_end(column) %}
    {{ return(plus_days(column, -1) if var('end_dates', 'exclusive') == 'inclusive' else column) }}
{% endmacro %}

{# The day that is described, as a SQL date: var `today`, or else the district's date of the newest load. #}
{% macro today() %}
    {%- if var('today', none) -%}{{ return("cast('" ~ var('today') ~ "' as date)") }}{%- endif -%}
    {{ return("cast('" ~ newest_load_day() ~ "' as date)") }}
{% endmacro %}

{# The district's date of the newest load, or with `min` of the first one that is known. #}
{% macro newest_load_day(which='max') %}
    {%- set fallback = run_started_at.strftime('%Y-%m-%d') -%}
    {%- if not execute -%}{{ return(fallback) }}{%- endif -%}
    {%- for table, name in [('_loads', 'loadedAt'), ('syncReceipts', 'finishedAt'), ('orgs', '_sdc_received_at')] -%}
        {%- set relation = load_table(table) -%}
        {%- if relation -%}
            {%- for column in adapter.get_columns_in_relation(relation) if column.name | lower == name | lower -%}
                {%- set time = which ~ '(' ~ as_type('time', quoted(column), column.data_type) ~ ')' -%}
                {%- set day = run_query('select ' ~ local_date(time) ~ ' as day from ' ~ relation).columns[0].values()[0] -%}
                {%- if day -%}{{ return(day | string | truncate(10, true, '', 0)) }}{%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(fallback) }}
{% endmacro %}

{# The day since when a row is gone, as it counts today. Of a day before the first load nothing is known: what is gone by
   now is gone then. #}
{% macro gone_as_of_today(column) %}
    {%- if execute and var('today', none) and var('today') | string < newest_load_day('min') -%}
        {{ return('least(' ~ column ~ ', ' ~ 'case when ' ~ column ~ ' is not null then ' ~ today() ~ ' end)') }}
    {%- endif -%}
    {{ return(column) }}
{% endmacro %}

{# True on a day of a half-open span; a span without an end goes on. #}
{% macro is_current(day, begin='begin_date', end='end_date') %}
    {{ return('(' ~ begin ~ ' <= ' ~ day ~ ' and (' ~ end ~ ' is null or ' ~ day ~ ' < ' ~ end ~ '))') }}
{% endmacro %}
