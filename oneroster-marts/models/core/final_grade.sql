-- depends_on: {{ ref('input_final_grades') }}
-- Where input final_grades is not given, the results of line items whose category is named in var `final_categories`.
{%- set titles = [] -%}
{%- for title in var('final_categories', []) or [] -%}{%- do titles.append("'" ~ (title | lower | replace("'", "''")) ~ "'") -%}{%- endfor %}
{%- if is_given('final_grades') %}
with grades as (
    select
        student_id,
        class_id,
        session_id,
        percent,
        upper(trim(mark)) as mark,
        credits_attempted,
        credits_earned
    from {{ ref('input_final_grades') }}
),
{%- else %}
with grades as (
    select
        results.student_id,
        results.class_id,
        items.session_id,
        results.percent,
        cast(null as {{ type_of('text') }}) as mark,
        cast(null as {{ type_of('number') }}) as credits_attempted,
        cast(null as {{ type_of('number') }}) as credits_earned
    from {{ ref('fct_result') }} as results
    inner join {{ ref('stg_oneroster__line_items') }} as items on results.line_item_id = items.line_item_id
    inner join {{ ref('stg_oneroster__categories') }} as categories on items.category_id = categories.category_id
    where results.is_counted and lower(trim(categories.title)) in ({{ titles | join(', ') or "''" }})
),
{%- endif %}

read as (
    select
        grades.student_id,
        coalesce(persons.person_id, grades.student_id) as person_id,
        grades.class_id,
        grades.session_id,
        coalesce(words.counts, true) as counts,
        case
            when grades.percent is not null then grades.percent >= {{ var('pass_percent', 60) }}
            else words.passes
        end as passes,
        case
            when grades.credits_attempted > 0 and grades.credits_earned is not null
                then least(grades.credits_earned / grades.credits_attempted, 1)
        end as earned_share
    from grades
    left join {{ ref('dim_person') }} as persons on grades.student_id = persons.user_id
    left join {{ ref('score_words') }} as words on grades.mark = words.word
),

-- The term of a grade: the class's term in which its session lies; else the term that lies in its session. Of several grades in a
-- term that of the last session.
placed as (
    select
        read.person_id,
        read.class_id,
        terms.term_id,
        read.passes,
        coalesce(read.earned_share, case when read.passes then 1 else 0 end) as earned_share,
        row_number() over (
            partition by read.person_id, read.class_id, terms.term_id
            order by
                case when inside.session_id is not null then 0 else 1 end,
                inside.steps,
                sessions.end_date desc,
                read.session_id,
                case when read.passes then 0 else 1 end
        ) as place
    from read
    inner join {{ ref('bridge_class_term') }} as terms on read.class_id = terms.class_id
    left join {{ ref('bridge_session_above') }} as inside
        on read.session_id = inside.session_id and terms.term_id = inside.above_id
    left join {{ ref('bridge_session_above') }} as around
        on terms.term_id = around.session_id and read.session_id = around.above_id
    left join {{ ref('dim_session') }} as sessions on read.session_id = sessions.session_id
    where
        read.counts
        and read.passes is not null
        and (inside.session_id is not null or around.session_id is not null or terms.term_id = 'none')
)

select
    person_id,
    class_id,
    term_id,
    passes,
    {{ number('earned_share') }} as earned_share
from placed
where place = 1
