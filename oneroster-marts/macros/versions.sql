{# Versions of a table's rows: half-open spans in UTC, valid_from <= time < valid_to; the one of now has no valid_to.
   `columns` as in staged(). Where the loader keeps no versions they begin with the first build. #}
{% macro versions(table, columns, snapshot) %}
    {%- if loader_keeps_versions() -%}
with rows_of_the_loader as (
    {{ staged(table ~ '_history', columns + [
        ('_sdc_first_seen_at', 'valid_from', 'time'),
        ('_sdc_ended_at', 'ended_at', 'time'),
        ('_sdc_deleted_at', 'deleted_at', 'time'),
    ], gone=true) }}
)

select
    {%- for _, name, _ in columns %}
    {{ name }},
    {%- endfor %}
    valid_from,
    coalesce(ended_at, deleted_at) as valid_to
from rows_of_the_loader
    {%- else -%}
select
    {%- for _, name, _ in columns %}
    {{ name }},
    {%- endfor %}
    cast(dbt_valid_from as {{ type_of('time') }}) as valid_from,
    cast(dbt_valid_to as {{ type_of('time') }}) as valid_to
from {{ ref(snapshot) }}
    {%- endif %}
{% endmacro %}
