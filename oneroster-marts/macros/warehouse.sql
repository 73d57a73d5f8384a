{# All that differs between warehouses. Nothing else may branch: tests/marts/test_project.py reads every file. #}

{# --- names --------------------------------------------------------------------------------------------------- #}

{# The database of a model: on DuckDB the files of persons and of what is shared are databases of their own. #}
{% macro model_database(node) %}{{ return(adapter.dispatch('model_database', 'oneroster_marts')(node)) }}{% endmacro %}
{% macro default__model_database(node) %}{{ return(target.database) }}{% endmacro %}
{% macro duckdb__model_database(node) %}
    {{ return('shared_file' if node and node.config.schema == 'shared' else 'restricted_file') }}
{% endmacro %}

{# The database of the tables that the loader wrote. #}
{% macro source_database() %}{{ return(adapter.dispatch('source_database', 'oneroster_marts')()) }}{% endmacro %}
{% macro default__source_database() %}{{ return(var('oneroster_database', none) or target.database) }}{% endmacro %}
{% macro duckdb__source_database() %}{{ return(var('oneroster_database', none) or 'warehouse_file') }}{% endmacro %}

{# A name as the loader wrote it: as in the standard, on Snowflake in upper case. #}
{% macro source_name(name) %}{{ return(adapter.dispatch('source_name', 'oneroster_marts')(name)) }}{% endmacro %}
{% macro default__source_name(name) %}{{ return(name) }}{% endmacro %}
{% macro snowflake__source_name(name) %}{{ return(name | upper) }}{% endmacro %}

{# --- values -------------------------------------------------------------------------------------------------- #}

{# The names of types. #}
{% macro type_of(kind) %}{{ return(adapter.dispatch('type_of', 'oneroster_marts')(kind)) }}{% endmacro %}
{% macro default__type_of(kind) %}
    {{ return({'text': 'varchar', 'date': 'date', 'number': 'double', 'whole': 'bigint', 'yes_no': 'boolean',
               'time': 'timestamp', 'list': 'varchar[]', 'object': 'json', 'objects': 'json'}[kind]) }}
{% endmacro %}
{% macro postgres__type_of(kind) %}
    {{ return({'text': 'text', 'date': 'date', 'number': 'double precision', 'whole': 'bigint', 'yes_no': 'boolean',
               'time': 'timestamp', 'list': 'text[]', 'object': 'jsonb', 'objects': 'jsonb'}[kind]) }}
{% endmacro %}
{% macro snowflake__type_of(kind) %}
    {{ return({'text': 'varchar', 'date': 'date', 'number': 'float', 'whole': 'bigint', 'yes_no': 'boolean',
               'time': 'timestamp_ntz', 'list': 'variant', 'object': 'variant', 'objects': 'variant'}[kind]) }}
{% endmacro %}

{# A column of the loader as one of these types; `dtype` is the type that it has. Times are UTC. #}
{% macro as_type(kind, column, dtype) %}{{ return(adapter.dispatch('as_type', 'oneroster_marts')(kind, column, dtype | lower)) }}{% endmacro %}
{% macro default__as_type(kind, column, dtype) %}
    {%- if kind == 'time' and 'time zone' in dtype -%}
        {{ return("cast(" ~ column ~ " at time zone 'UTC' as timestamp)") }}
    {%- elif kind == 'list' and '[]' not in dtype -%}
        {{ return("from_json(cast(" ~ column ~ " as json), '[\"VARCHAR\"]')") }}
    {%- elif kind in ('object', 'objects') -%}
        {{ return('to_json(' ~ column ~ ')') }}
    {%- endif -%}
    {{ return('cast(' ~ column ~ ' as ' ~ type_of(kind) ~ ')') }}
{% endmacro %}
{% macro postgres__as_type(kind, column, dtype) %}
    {%- if kind == 'time' and 'without' not in dtype and 'time' in dtype -%}
        {{ return("cast(" ~ column ~ " at time zone 'UTC' as timestamp)") }}
    {%- elif kind == 'list' and 'json' in dtype -%}
        {{ return("(select array_agg(item order by n) from jsonb_array_elements_text(case when jsonb_typeof(cast("
                  ~ column ~ " as jsonb)) = 'array' then cast(" ~ column ~ " as jsonb) end) with ordinality as items(item, n))") }}
    {%- elif kind in ('object', 'objects') -%}
        {{ return('to_jsonb(' ~ column ~ ')') }}
    {%- endif -%}
    {{ return('cast(' ~ column ~ ' as ' ~ type_of(kind) ~ ')') }}
{% endmacro %}
{% macro snowflake__as_type(kind, column, dtype) %}
    {%- if kind in ('list', 'object', 'objects') -%}{{ return(column) }}{%- endif -%}
    {{ return('cast(' ~ column ~ ' as ' ~ type_of(kind) ~ ')') }}
{% endmacro %}

{# Text as a date, a number or true and false; null where it is none. #}
{% macro read_text(kind, column) %}{{ return(adapter.dispatch('read_text', 'oneroster_marts')(kind, 'trim(' ~ column ~ ')')) }}{% endmacro %}
{% macro default__read_text(kind, text) %}
    {%- if kind == 'text' -%}{{ return("nullif(" ~ text ~ ", '')") }}{%- endif -%}
    {{ return('try_cast(' ~ text ~ ' as ' ~ type_of(kind) ~ ')') }}
{% endmacro %}
{% macro duckdb__read_text(kind, text) %}
    {%- if kind == 'time' -%}
        {{ return("case when regexp_matches(substr(" ~ text ~ ", 11), '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$') then try_cast(" ~ text
                  ~ " as timestamptz) at time zone 'UTC' else try_cast(" ~ text ~ " as timestamp) end") }}
    {%- endif -%}
    {{ return(oneroster_marts.default__read_text(kind, text)) }}
{% endmacro %}
{% macro postgres__read_text(kind, text) %}
    {%- if kind == 'text' -%}{{ return("nullif(" ~ text ~ ", '')") }}
    {%- elif kind == 'date' -%}
        {%- set parts = "case when " ~ text ~ " ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])' and substr(" ~ text ~ ", 1, 4) <> '0000'" -%}
        {%- set month = "make_date(cast(substr(" ~ text ~ ", 1, 4) as integer), cast(substr(" ~ text ~ ", 6, 2) as integer), 1)" -%}
        {{ return("(" ~ parts ~ " and (length(" ~ text ~ ") = 10 or " ~ text ~ " ~ '^.{10}[ T][0-9:.]+(Z|[+-][0-9:]+)?$') then case when cast(substr(" ~ text ~ ", 9, 2) as integer) <= extract(day from "
                  ~ month ~ " + interval '1 month' - interval '1 day') then cast(substr(" ~ text ~ ", 1, 10) as date) end end)") }}
    {%- elif kind == 'time' -%}
        {%- set zone = "substr(" ~ text ~ ", 11) ~ '(Z|[+-][0-9]{2}(:?[0-9]{2})?)$'" -%}
        {{ return("case when " ~ read_text('date', text) ~ " is not null and substr(" ~ text
                  ~ ", 11) ~ '^([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?$'"
                  ~ " then cast(cast(" ~ text ~ " || case when " ~ zone ~ " then '' else '+00' end as timestamptz) at time zone 'UTC' as timestamp) end") }}
    {%- elif kind == 'yes_no' -%}
        {{ return("case when lower(" ~ text ~ ") in ('true', 't', 'yes', 'y', '1') then true when lower(" ~ text ~ ") in ('false', 'f', 'no', 'n', '0') then false end") }}
    {%- elif kind == 'whole' -%}
        {{ return("case when " ~ text ~ " ~ '^[+-]?[0-9]{1,18}([.]0*)?$' then cast(cast(" ~ text ~ " as numeric) as bigint) end") }}
    {%- endif -%}
    {{ return("case when " ~ text ~ " ~ '^[+-]?([0-9]{1,30}([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$' then cast(" ~ text ~ " as " ~ type_of(kind) ~ ") end") }}
{% endmacro %}

{# The district's date of a time in UTC. #}
{% macro local_date(time) %}{{ return(adapter.dispatch('local_date', 'oneroster_marts')(time)) }}{% endmacro %}
{% macro default__local_date(time) %}
    {{ return("cast((" ~ time ~ ") at time zone 'UTC' at time zone '" ~ var('time_zone', 'UTC') ~ "' as date)") }}
{% endmacro %}
{% macro snowflake__local_date(time) %}
    {{ return("to_date(convert_timezone('UTC', '" ~ var('time_zone', 'UTC') ~ "', " ~ time ~ "))") }}
{% endmacro %}

{# --- dates --------------------------------------------------------------------------------------------------- #}

{# A date some days later. #}
{% macro plus_days(day, days) %}{{ return(adapter.dispatch('plus_days', 'oneroster_marts')(day, days)) }}{% endmacro %}
{% macro default__plus_days(day, days) %}{{ return('cast(' ~ day ~ ' + cast(' ~ days ~ ' as integer) as date)') }}{% endmacro %}
{% macro snowflake__plus_days(day, days) %}{{ return("cast(dateadd(day, " ~ days ~ ", " ~ day ~ ") as date)") }}{% endmacro %}

{# Days from one date to a later one. #}
{% macro days_from(earlier, later) %}{{ return(adapter.dispatch('days_from', 'oneroster_marts')(earlier, later)) }}{% endmacro %}
{% macro default__days_from(earlier, later) %}{{ return('cast(' ~ later ~ ' - ' ~ earlier ~ ' as integer)') }}{% endmacro %}
{% macro snowflake__days_from(earlier, later) %}{{ return('datediff(day, ' ~ earlier ~ ', ' ~ later ~ ')') }}{% endmacro %}

{# The earliest of some dates, nulls left out. #}
{% macro earliest(dates) %}{{ return(adapter.dispatch('earliest', 'oneroster_marts')(dates | join(', '))) }}{% endmacro %}
{% macro default__earliest(dates) %}{{ return('least(' ~ dates ~ ')') }}{% endmacro %}
{% macro snowflake__earliest(dates) %}{{ return('least_ignore_nulls(' ~ dates ~ ')') }}{% endmacro %}

{# The Monday of a date's week. #}
{% macro monday(day) %}{{ return(adapter.dispatch('monday', 'oneroster_marts')(day)) }}{% endmacro %}
{% macro default__monday(day) %}{{ return("cast(date_trunc('week', " ~ day ~ ") as date)") }}{% endmacro %}
{% macro snowflake__monday(day) %}{{ return("cast(dateadd(day, 1 - dayofweekiso(" ~ day ~ "), " ~ day ~ ") as date)") }}{% endmacro %}

{# Each day from one to another, as a query with one column `day`. #}
{% macro each_day(first, last) %}{{ return(adapter.dispatch('each_day', 'oneroster_marts')(first, last)) }}{% endmacro %}
{% macro default__each_day(first, last) %}
    {{ return("select cast(its.day as date) as day from generate_series(cast(" ~ first ~ " as timestamp), cast(" ~ last ~ " as timestamp), interval '1 day') as its(day)") }}
{% endmacro %}
{% macro snowflake__each_day(first, last) %}
    {{ return("select dateadd(day, its.n, " ~ first ~ ") as day from (select row_number() over (order by seq4()) - 1 as n from table(generator(rowcount => 4000))) its where its.n <= datediff(day, " ~ first ~ ", " ~ last ~ ")") }}
{% endmacro %}

{# --- lists --------------------------------------------------------------------------------------------------- #}

{# One row for each item of a list: the columns of `keep`, `item`, and its place `n` from 1. #}
{% macro each_item(relation, keep, column) %}{{ return(adapter.dispatch('each_item', 'oneroster_marts')(relation, keep, column)) }}{% endmacro %}
{% macro default__each_item(relation, keep, column) %}
    {{ return('select ' ~ keep | join(', ') ~ ', unnest(' ~ column ~ ') as item, generate_subscripts(' ~ column ~ ', 1) as n from ' ~ relation) }}
{% endmacro %}
{% macro postgres__each_item(relation, keep, column) %}
    {{ return('select ' ~ keep | join(', ') ~ ', items.item, items.n from ' ~ relation ~ ' cross join lateral unnest(' ~ column ~ ') with ordinality as items(item, n)') }}
{% endmacro %}
{% macro snowflake__each_item(relation, keep, column) %}
    {{ return('select ' ~ keep | join(', ') ~ ', cast(items.value as varchar) as item, items.index + 1 as n from ' ~ relation ~ ', lateral flatten(input => ' ~ column ~ ') items') }}
{% endmacro %}

{# One row for each object of a list of objects: the columns of `keep`, and the values of `fields` as text. #}
{% macro each_object(relation, keep, column, fields) %}{{ return(adapter.dispatch('each_object', 'oneroster_marts')(relation, keep, column, fields)) }}{% endmacro %}
{% macro default__each_object(relation, keep, column, fields) %}
    {%- set found = [] -%}
    {%- for field in fields -%}{%- do found.append(field_of('its.object', field) ~ ' as ' ~ adapter.quote(field)) -%}{%- endfor -%}
    {{ return('select ' ~ keep | join(', ') ~ ', ' ~ found | join(', ') ~ ' from (select ' ~ keep | join(', ')
              ~ ", unnest(case when json_type(" ~ column ~ ") = 'ARRAY' then json_extract(" ~ column ~ ", '$[*]') end) as object from " ~ relation ~ ') as its') }}
{% endmacro %}
{% macro postgres__each_object(relation, keep, column, fields) %}
    {%- set found = [] -%}
    {%- for field in fields -%}{%- do found.append(field_of('its.object', field) ~ ' as ' ~ adapter.quote(field)) -%}{%- endfor -%}
    {%- set json = 'cast(' ~ column ~ ' as jsonb)' -%}
    {{ return('select ' ~ keep | join(', ') ~ ', ' ~ found | join(', ') ~ ' from ' ~ relation
              ~ " cross join lateral jsonb_array_elements(case when jsonb_typeof(" ~ json ~ ") = 'array' then " ~ json ~ " end) as its(object)") }}
{% endmacro %}
{% macro snowflake__each_object(relation, keep, column, fields) %}
    {%- set found = [] -%}
    {%- for field in fields -%}{%- do found.append(field_of('its.value', field) ~ ' as ' ~ adapter.quote(field)) -%}{%- endfor -%}
    {{ return('select ' ~ keep | join(', ') ~ ', ' ~ found | join(', ') ~ ' from ' ~ relation ~ ', lateral flatten(input => ' ~ column ~ ') its') }}
{% endmacro %}

{# A value of an object as text; null if there is none. #}
{% macro field_of(object, field) %}{{ return(adapter.dispatch('field_of', 'oneroster_marts')(object, field | replace("'", "''"))) }}{% endmacro %}
{% macro default__field_of(object, field) %}{{ return("json_extract_string(" ~ object ~ ", '$.\"" ~ field ~ "\"')") }}{% endmacro %}
{% macro postgres__field_of(object, field) %}{{ return("(" ~ object ~ " ->> '" ~ field ~ "')") }}{% endmacro %}
{% macro snowflake__field_of(object, field) %}{{ return("cast(" ~ object ~ "['" ~ field ~ "'] as varchar)") }}{% endmacro %}

{# Texts of a group in one, in an order. #}
{% macro joined(text, order, between=',') %}{{ return(adapter.dispatch('joined', 'oneroster_marts')(text, order, between)) }}{% endmacro %}
{% macro default__joined(text, order, between) %}{{ return("string_agg(" ~ text ~ ", '" ~ between ~ "' order by " ~ order ~ ")") }}{% endmacro %}
{% macro snowflake__joined(text, order, between) %}{{ return("listagg(" ~ text ~ ", '" ~ between ~ "') within group (order by " ~ order ~ ")") }}{% endmacro %}

{# The first item of a list; null if there is none. #}
{% macro first_item(column) %}{{ return(adapter.dispatch('first_item', 'oneroster_marts')(column)) }}{% endmacro %}
{% macro default__first_item(column) %}{{ return(column ~ '[1]') }}{% endmacro %}
{% macro snowflake__first_item(column) %}{{ return('cast(' ~ column ~ '[0] as varchar)') }}{% endmacro %}

{# How many items a list has; 0 where there is no list. #}
{% macro item_count(column) %}{{ return(adapter.dispatch('item_count', 'oneroster_marts')(column)) }}{% endmacro %}
{% macro default__item_count(column) %}{{ return('coalesce(len(' ~ column ~ '), 0)') }}{% endmacro %}
{% macro postgres__item_count(column) %}{{ return('coalesce(cardinality(' ~ column ~ '), 0)') }}{% endmacro %}
{% macro snowflake__item_count(column) %}{{ return('coalesce(array_size(' ~ column ~ '), 0)') }}{% endmacro %}

{# --- numbers ------------------------------------------------------------------------------------------------- #}

{# A computed number in the one type that all warehouses show alike. #}
{% macro number(expression) %}{{ return('cast(' ~ expression ~ ' as ' ~ type_of('number') ~ ')') }}{% endmacro %}

{# A percentile between values, and the median. #}
{% macro percentile(share, value) %}{{ return(adapter.dispatch('percentile', 'oneroster_marts')(share, value)) }}{% endmacro %}
{% macro default__percentile(share, value) %}
    {{ return(number('percentile_cont(' ~ share ~ ') within group (order by ' ~ value ~ ')')) }}
{% endmacro %}
{% macro median(value) %}{{ return(percentile(0.5, value)) }}{% endmacro %}

{# --- versions ------------------------------------------------------------------------------------------------ #}

{# True where the loader keeps versions of rows; elsewhere dbt's snapshots do. #}
{% macro loader_keeps_versions() %}{{ return(adapter.dispatch('loader_keeps_versions', 'oneroster_marts')()) }}{% endmacro %}
{% macro default__loader_keeps_versions() %}{{ return(false) }}{% endmacro %}
{% macro duckdb__loader_keeps_versions() %}{{ return(true) }}{% endmacro %}

{# The time of a snapshot: UTC, where dbt's own is the server's. #}
{% macro postgres__snapshot_get_time() %}cast(now() at time zone 'UTC' as timestamp){% endmacro %}

{# --- plans --------------------------------------------------------------------------------------------------- #}

{# What is run after a table was made: PostgreSQL knows nothing of the sizes of a new table, and would join it row by row. #}
{% macro measured() %}{{ return(adapter.dispatch('measured', 'oneroster_marts')()) }}{% endmacro %}
{% macro default__measured() %}{{ return('') }}{% endmacro %}
{% macro postgres__measured() %}{{ return('analyze ' ~ this) }}{% endmacro %}
