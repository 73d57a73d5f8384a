{# What a twin in schema `shared` is made of. A twin has the columns of its mart, and is one call of a macro here. #}

{# A mart that holds nothing to hide: counts of the roster. #}
{% macro shown(relation) %}
select * from {{ relation }}
{% endmacro %}

{# A mart whose small cells are hidden: `suppressed` is true and every measure null.

   relation   the raw mart
   keys       its columns that are no measures
   measures   its columns that are hidden
   n          the column that counts persons; fewer than var `small_cell` are hidden
   rates      measures in percent: 95 and more are shown as 95, 5 and less as 5, where fewer than 40 persons are counted
   within     keys of a group whose total may be known: where one cell of it is hidden alone, a second one is
   value      the key that tells the cells of a group apart; ties go by its name
   total      the word in `value` that marks a group's total (none: there is no total in the mart); it is never chosen as
              the second cell
   secondary  a model (columns `by` and `value`) that says which cells are hidden beside small ones, so that all marts
              hide the same; without it the next smallest cell of each group
   by         keys of the cells of `secondary`

   A group whose cells are all hidden, or that has one cell beside its total, keeps its total only. #}
{% macro suppress(relation, keys, measures, n, rates=[], within=[], value=none, total='all', secondary=none, by=[]) %}
with cells as (
    select
        {%- for name in keys + measures %}
        {{ name }},
        {%- endfor %}
        coalesce({{ n }}, 0) as cell_size,
        coalesce({{ n }}, 0) < {{ var('small_cell', 10) }} as is_small,
        {{ value ~ " = '" ~ total ~ "'" if value and total else 'false' }} as is_total
    from {{ relation }}
),

{% if within -%}
ranked as (
    select
        cells.*,
        sum(case when is_small and not is_total then 1 else 0 end) over (partition by {{ within | join(', ') }}) as small_cells,
        sum(case when is_total then 0 else 1 end) over (partition by {{ within | join(', ') }}) as all_cells,
        row_number() over (
            partition by {{ within | join(', ') }}, is_small or is_total
            order by cell_size{{ ', ' ~ value if value }}
        ) as place
    from cells
),

marked as (
    select
        ranked.*,
        is_small or (not is_total and (
            {%- if secondary %}
            exists (
                select 1 from {{ secondary }} as chosen
                where
                    {%- for name in by + [value] %}
                    chosen.{{ name }} = ranked.{{ name }}{{ ' and' if not loop.last }}
                    {%- endfor %}
            )
            {%- else %}
            (small_cells = 1 and place = 1)
            {%- endif %}
        )) as is_hidden
    from ranked
),

grouped as (
    select
        marked.*,
        sum(case when is_hidden and not is_total then 1 else 0 end) over (partition by {{ within | join(', ') }}) as hidden_cells
    from marked
)
{%- else -%}
grouped as (
    select
        cells.*,
        is_small as is_hidden,
        0 as hidden_cells,
        2 as all_cells
    from cells
)
{%- endif %}

select
    {%- for name in keys %}
    {{ name }},
    {%- endfor %}
    {%- for name in measures %}
    {%- if name in rates %}
    case
        when is_hidden then null
        when cell_size < 40 and {{ name }} >= 95 then 95
        when cell_size < 40 and {{ name }} <= 5 then 5
        else {{ name }}
    end as {{ name }},
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
