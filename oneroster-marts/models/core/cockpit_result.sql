{%- set keys = ['school_id', 'week', 'person_id', 'class_id'] %}
-- To date: in the classes of the week, what was due by the day as of which it is described. Results are matched with spans first, and
-- with weeks last: a percent only of classes with enough results, and what is due only with the weeks in which it is.
with graded as (
    select
        person_id,
        class_id,
        sum(case when is_counted then 1 else 0 end) as counted_results
    from {{ ref('fct_result') }}
    where is_in_class
    group by person_id, class_id
),

ordered as (
    select
        enrollments.school_id,
        enrollments.person_id,
        enrollments.class_id,
        graded.counted_results,
        enrollments.begin_date,
        coalesce(enrollments.end_date, cast('9999-12-31' as date)) as end_date,
        max(coalesce(enrollments.end_date, cast('9999-12-31' as date))) over (
            partition by enrollments.school_id, enrollments.person_id, enrollments.class_id order by enrollments.begin_date
            rows between unbounded preceding and 1 preceding
        ) as end_before
    from {{ ref('fct_enrollment') }} as enrollments
    inner join graded on enrollments.person_id = graded.person_id and enrollments.class_id = graded.class_id
    where enrollments.role = 'student' and enrollments.counts_as_class
),

-- A day is in one span at most, so that no result counts twice where two enrollments overlap.
spans as (
    select
        school_id,
        person_id,
        class_id,
        counted_results,
        case when end_before > begin_date then end_before else begin_date end as begin_date,
        end_date
    from ordered
    where end_before is null or end_date > end_before
),

results as (
    select
        spans.school_id,
        spans.person_id,
        spans.class_id,
        spans.counted_results,
        spans.begin_date,
        spans.end_date,
        results.category_id,
        results.is_counted,
        results.counted_points,
        results.max_points,
        results.basis,
        results.window_date,
        results.is_exempt,
        results.is_missing,
        lower(coalesce(results.score_status, '')) <> 'not submitted' as is_missing_on_its_day
    from spans
    inner join {{ ref('fct_result') }} as results
        on spans.person_id = results.person_id and spans.class_id = results.class_id
    where results.is_in_class
),

counted as (
    select
        days.school_id,
        days.week,
        results.person_id,
        results.class_id,
        results.category_id,
        results.counted_points,
        results.max_points,
        results.basis
    from results
    inner join {{ ref('cockpit_day') }} as days
        on
            results.school_id = days.school_id
            and days.described_on >= results.begin_date
            and days.described_on < results.end_date
            and days.described_on >= coalesce(results.window_date, days.described_on)
    where results.is_counted and results.counted_results >= 3
),

class_percents as (
    {{ percents_from('counted', keys) }}
),

either as (
    select
        school_id,
        week,
        person_id,
        percent,
        0 as due,
        0 as missing
    from class_percents
    where results >= 3
    union all
    select
        days.school_id,
        days.week,
        results.person_id,
        cast(null as {{ type_of('number') }}) as percent,
        1 as due,
        case
            when
                results.is_missing
                and (results.is_missing_on_its_day or results.window_date < days.described_on)
                then 1
            else 0
        end as missing
    from results
    inner join {{ ref('cockpit_day') }} as days
        on
            results.school_id = days.school_id
            and days.described_on >= results.begin_date
            and days.described_on < results.end_date
            and days.described_on >= results.window_date
            and days.described_on < {{ plus_days('results.window_date', 28) }}
    where not results.is_exempt
)

select
    school_id,
    week,
    person_id,
    {{ number('avg(percent)') }} as percent,
    cast(sum(due) as {{ type_of('whole') }}) as due,
    cast(sum(missing) as {{ type_of('whole') }}) as missing
from either
group by school_id, week, person_id
