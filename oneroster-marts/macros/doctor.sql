{# What `oneroster-marts doctor` says, a line each: `dbt run-operation doctor`. #}
{% macro doctor() %}
    {%- do say('describes ' ~ (var('today', none) or newest_load_day()) ~ ', in the time zone ' ~ var('time_zone', 'UTC')) -%}
    {%- for table, what in [
        ('academicSessions', 'terms and school years; without them spans need dates of their own'),
        ('courses', 'courses'),
        ('roles', 'roles; who has no enrollment is of no kind'),
        ('lineItems', 'due dates'),
        ('results', 'results'),
        ('demographics', 'results by demographic'),
        ('syncReceipts', 'the health of the feed'),
    ] -%}
        {%- set relation = load_table(table) -%}
        {%- if relation -%}
            {%- set rows = run_query('select count(*) from ' ~ relation).columns[0].values()[0] -%}
            {%- if not rows -%}{%- do say(table ~ ' is empty: nothing about ' ~ what) -%}{%- endif -%}
        {%- else -%}
            {%- do say('there is no table ' ~ table ~ ': nothing about ' ~ what) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name in input_names() if not is_given(name) -%}
        {%- do say('input ' ~ name ~ ' is not given') -%}
    {%- endfor -%}
    {%- set proposal = end_dates_proposal() -%}
    {%- if proposal -%}{%- do say(proposal) -%}{%- endif -%}
{% endmacro %}

{% macro say(text) %}{%- do log('oneroster_marts: ' ~ text, info=true) -%}{% endmacro %}

{# Says whether the ends of terms look inclusive: most terms begin the day after the end of the one before. #}
{% macro end_dates_proposal() %}
    {%- set relation = load_table('academicSessions') -%}
    {%- if not relation -%}{{ return(none) }}{%- endif -%}
    {%- set present = {} -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}{%- do present.update({column.name | lower: column}) -%}{%- endfor -%}
    {%- set begin, end = staged_column(present, 'startDate', 'date'), staged_column(present, 'endDate', 'date') -%}
    {%- set query -%}
        select
            coalesce(sum(case when gap = 1 then 1 else 0 end), 0) as inclusive,
            coalesce(sum(case when gap = 0 then 1 else 0 end), 0) as exclusive
        from (
            select {{ days_from(end, 'lead(' ~ begin ~ ') over (partition by ' ~ staged_column(present, 'type', 'text') ~ ' order by ' ~ begin ~ ')') }} as gap
            from {{ relation }}
        ) as gaps
    {%- endset -%}
    {%- set answer = run_query(query) -%}
    {%- set inclusive, exclusive = answer.columns[0].values()[0] | int, answer.columns[1].values()[0] | int -%}
    {%- set setting = var('end_dates', 'exclusive') -%}
    {%- if inclusive > exclusive and setting == 'exclusive' -%}
        {{ return('ends look inclusive: ' ~ inclusive ~ ' of ' ~ (inclusive + exclusive) ~ ' adjoining terms begin the day after an endDate; set end_dates to inclusive') }}
    {%- elif exclusive > inclusive and setting == 'inclusive' -%}
        {{ return('ends look exclusive: ' ~ exclusive ~ ' of ' ~ (inclusive + exclusive) ~ ' adjoining terms begin on an endDate; set end_dates to exclusive') }}
    {%- endif -%}
    {{ return(none) }}
{% endmacro %}
