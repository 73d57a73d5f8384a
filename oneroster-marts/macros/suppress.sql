{# What a twin in schema `shared` is made of. A twin has the columns of its mart, and is one call of a macro here. #}

{# A mart that holds nothing to hide: counts of the roster. #}
{% macro shown(relation) %}
select * from {{ relation }}
{% endmacro %}

{# True for a row of few persons. The first of `counts` counts the persons of the row; of the others, which count some of
   them, none is not few. #}
{% macro is_small(counts) %}
    {%- set says = ['coalesce(' ~ counts[0] ~ ', 0) < ' ~ var('small_cell', 10)] -%}
    {%- for count in counts[1:] -%}
        {%- do says.append('(' ~ count ~ ' > 0 and ' ~ count ~ ' < ' ~ var('small_cell', 10) ~ ')') -%}
    {%- endfor -%}
    {{ return('(' ~ says | join(' or ') ~ ')') }}
{% endmacro %}

{# The same number on each warehouse: their round() differ at halves. #}
{% macro whole_percent(rate) %}{{ return('floor(' ~ rate ~ ' + 0.5)') }}{% endmacro %}

{# The cells of groups with what is hidden: `within`, `value`, is_hidden. Where a small cell is hidden, others are hidden with it, in
   `order`, until at least two are, and those hidden count at least var `small_cell` persons together: then a total tells no cell.

   within     keys of a group whose total may be known
   value      the key that tells the cells of a group apart
   counts     columns that count persons; see is_small
   order      columns by which further cells are chosen; ties go by the name of the value
   flag       an expression that says which cells are hidden anyway, instead of is_small #}
{% macro hidden_cells(relation, within, value, counts, order, flag=none) %}
select
    {%- for name in within + [value] %}
    walked.{{ name }},
    {%- endfor %}
    is_small or (small_cells > 0 and not (
        small_cells + cells_before >= 2
        {%- for count in counts %}
        and ({{ 'false' if loop.first else 'small_' ~ count ~ ' + ' ~ count ~ '_before = 0' }} or small_{{ count }} + {{ count }}_before >= {{ var('small_cell', 10) }})
        {%- endfor %}
    )) as is_hidden
from (
    select
        cells.*,
        sum(case when is_small then 1 else 0 end) over (partition by {{ within | join(', ') }}) as small_cells,
        row_number() over (partition by {{ (within + ['is_small']) | join(', ') }} order by {{ (order + [value]) | join(', ') }}) - 1 as cells_before
        {%- for count in counts %},
        coalesce(sum(case when is_small then {{ count }} end) over (partition by {{ within | join(', ') }}), 0) as small_{{ count }},
        coalesce(sum({{ count }}) over (
            partition by {{ (within + ['is_small']) | join(', ') }} order by {{ (order + [value]) | join(', ') }}
            rows between unbounded preceding and 1 preceding
        ), 0) as {{ count }}_before
        {%- endfor %}
    from (
        select
            its.*,
            {{ flag or is_small(counts) }} as is_small
        from {{ relation }} as its
    ) as cells
) as walked
{% endmacro %}

{# A mart whose small cells are hidden: `suppressed` is true and every measure null.

   relation   the raw mart
   keys       its columns that are no measures
   measures   its columns that are hidden
   counts     columns that count persons; see is_small
   rates      measures in percent, each with the column that counts its persons: whole percents, unless `is_whole` is false; 95 and more
              are shown as 95, 5 and less as 5, where fewer than 40 are counted
   parts      measures that would give a capped rate away, each with the rate; they are null where it is capped
   within, value, order   as in hidden_cells; without `within` only small cells are hidden
   hidden     a model that says which cells of the groups are hidden, instead of hidden_cells over this mart alone
   total      the word in `value` that marks a group's total

   A group whose cells are all hidden, or that has one cell beside its total, keeps its total only. #}
{% macro suppress(relation, keys, measures, counts, rates={}, parts={}, within=[], value=none, order=[], hidden=none, total='all', is_whole=true) %}
with {% if within -%}
hidden as (
    {%- if hidden %}
    select * from {{ hidden }}
    {%- else %}
    {{- hidden_cells(relation, within, value, counts, order) }}
    {%- endif %}
),

{% endif -%}
cells as (
    select
        raw.*,
        {{ is_small(counts) }}{% if within %} or coalesce(hidden.is_hidden, false){% endif %} as is_hidden,
        {{ 'raw.' ~ value ~ " = '" ~ total ~ "'" if within and total else 'false' }} as is_total
    from {{ relation }} as raw
    {%- if within %}
    left join hidden
        on
            {%- for name in within + [value] %}
            raw.{{ name }} = hidden.{{ name }}{{ ' and' if not loop.last }}
            {%- endfor %}
    {%- endif %}
),

grouped as (
    select
        cells.*,
        {%- if within %}
        sum(case when is_total then 0 else 1 end) over (partition by {{ within | join(', ') }}) as all_cells,
        sum(case when is_hidden and not is_total then 1 else 0 end) over (partition by {{ within | join(', ') }}) as hidden_cells
        {%- else %}
        2 as all_cells,
        0 as hidden_cells
        {%- endif %}
    from cells
)

select
    {%- for name in keys %}
    {{ name }},
    {%- endfor %}
    {%- for name in measures %}
    {%- set n = rates.get(name) %}
    {%- set rate = parts.get(name) %}
    {%- set shown_rate = whole_percent(rate or name) if is_whole else (rate or name) %}
    {%- if n %}
    case
        when is_hidden then null
        when {{ n }} < 40 and {{ shown_rate }} >= 95 then 95
        when {{ n }} < 40 and {{ shown_rate }} <= 5 then 5
        else {{ shown_rate }}
    end as {{ name }},
    {%- elif rate %}
    case when not is_hidden and not ({{ rates[rate] }} < 40 and (coalesce({{ shown_rate }}, 50) <= 5 or coalesce({{ shown_rate }}, 50) >= 95)) then {{ name }} end as {{ name }},
    {%- else %}
    case when not is_hidden then {{ name }} end as {{ name }},
    {%- endif %}
    {%- endfor %}
    is_hidden as suppressed
from grouped
{%- if within %}
where is_total or (all_cells > 1 and hidden_cells < all_cells)
{%- endif %}
{% endmacro %}
