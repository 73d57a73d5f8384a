{%- set missing = is_missing('latest', 'items.due_date') -%}
{%- set score = 'case when ' ~ missing ~ ' then items.value_min else latest.score end' if var('missing_as_zero', false) else 'latest.score' -%}
-- Percents go by the bounds of the line item only; without them by a scale, else by the words of seed score_words, else there is
-- none. A score above the highest stays above 100, and counts as 150 at most.
-- Few results were given twice: these alone are put in an order.
with twice as (
    select
        line_item_id,
        student_id
    from {{ ref('stg_oneroster__results') }}
    group by line_item_id, student_id
    having count(*) > 1
),

ordered as (
    select
        results.result_id,
        row_number() over (
            partition by results.line_item_id, results.student_id
            order by
                case when results.score_date is null then 1 else 0 end,
                results.score_date desc,
                case when results.changed_at is null then 1 else 0 end,
                results.changed_at desc,
                results.result_id desc
        ) as place
    from {{ ref('stg_oneroster__results') }} as results
    inner join twice on results.line_item_id = twice.line_item_id and results.student_id = twice.student_id
),

latest as (
    select results.*
    from {{ ref('stg_oneroster__results') }} as results
    left join ordered on results.result_id = ordered.result_id
    where results.line_item_id is not null and results.student_id is not null and coalesce(ordered.place, 1) = 1
),

scale_of_result as (
    select
        result_id,
        min(scale_id) as scale_id
    from {{ ref('stg_oneroster__result_score_scales') }}
    group by result_id
),

scale_of_item as (
    select
        line_item_id,
        min(scale_id) as scale_id
    from {{ ref('stg_oneroster__line_item_score_scales') }}
    group by line_item_id
),

number_values as (
    select
        scale_id,
        word_number,
        max(percent) as percent
    from {{ ref('score_scale_value') }}
    where word_number is not null
    group by scale_id, word_number
),

read as (
    select
        latest.result_id,
        latest.line_item_id,
        latest.student_id,
        coalesce(persons.person_id, latest.student_id) as person_id,
        coalesce(persons.grade, 'not stated') as grade,
        coalesce(items.class_id, latest.class_id) as class_id,
        items.category_id,
        items.due_date,
        coalesce(items.due_date, latest.score_date) as window_date,
        latest.score_status,
        items.value_min is not null and items.value_max is not null and {{ score }} is not null as has_bounds,
        items.value_max > items.value_min as are_bounds_usable,
        {{ score }} - items.value_min as points,
        items.value_max - items.value_min as max_points,
        coalesce(words_of_scale.percent, numbers_of_scale.percent) as scale_percent,
        words.percent as word_percent,
        coalesce(words.counts, true) as word_counts,
        {{ is_exempt('latest') }} as is_exempt,
        {{ is_graded('latest') }} as is_graded,
        lower(coalesce(latest.score_status, '')) = 'partially graded' as is_provisional,
        {{ missing }} as is_missing,
        coalesce(latest.is_late, false) as is_late
    from latest
    inner join {{ ref('stg_oneroster__line_items') }} as items on latest.line_item_id = items.line_item_id
    left join {{ ref('dim_person') }} as persons on latest.student_id = persons.user_id
    left join scale_of_result on latest.result_id = scale_of_result.result_id
    left join scale_of_item on latest.line_item_id = scale_of_item.line_item_id
    left join {{ ref('score_scale_value') }} as words_of_scale
        on
            coalesce(scale_of_result.scale_id, scale_of_item.scale_id) = words_of_scale.scale_id
            and upper(trim(latest.text_score)) = words_of_scale.word
    left join number_values as numbers_of_scale
        on
            coalesce(scale_of_result.scale_id, scale_of_item.scale_id) = numbers_of_scale.scale_id
            and latest.score = numbers_of_scale.word_number
    left join {{ ref('score_words') }} as words on upper(trim(latest.text_score)) = words.word
),

measured as (
    select
        read.*,
        case
            when has_bounds and are_bounds_usable then 'points'
            when has_bounds then 'no span'
            when scale_percent is not null then 'scale'
            when word_percent is not null then 'words'
            else 'none'
        end as basis
    from read
),

-- In the class on the day on which the work was due. Read anew with few columns, which takes less than to keep all of `measured`.
dated as (
    select
        results.result_id,
        results.student_id,
        coalesce(items.class_id, results.class_id) as class_id,
        coalesce(items.due_date, results.score_date) as window_date
    from {{ ref('stg_oneroster__results') }} as results
    inner join {{ ref('stg_oneroster__line_items') }} as items on results.line_item_id = items.line_item_id
),

in_class as (
    select distinct dated.result_id
    from dated
    inner join {{ ref('fct_enrollment') }} as enrollments
        on
            dated.student_id = enrollments.user_id
            and dated.class_id = enrollments.class_id
            and enrollments.role = 'student'
    where
        dated.window_date is null
        or {{ is_current('dated.window_date', 'enrollments.begin_date', 'enrollments.end_date') }}
),

scored as (
    select
        measured.*,
        in_class.result_id is not null as is_in_class,
        case basis
            when 'points' then 100 * points / max_points
            when 'scale' then scale_percent
            when 'words' then word_percent
        end as percent,
        case basis when 'points' then max_points else 100 end as most
    from measured
    left join in_class on measured.result_id = in_class.result_id
),

counted as (
    select
        scored.*,
        is_in_class and not is_exempt and word_counts and percent is not null
        and {{ "(is_graded or is_missing)" if var('missing_as_zero', false) else "is_graded and not (is_missing and percent <= 0)" }}
            as is_counted
    from scored
)

select
    counted.result_id,
    counted.line_item_id,
    counted.student_id,
    counted.person_id,
    counted.grade,
    counted.class_id,
    classes.school_id,
    coalesce(classes.course_id, 'none') as course_id,
    terms.term_id,
    counted.category_id,
    coalesce(classes.counts_as_class, true) as counts_as_class,
    counted.due_date,
    counted.window_date,
    counted.score_status,
    {{ number('counted.percent') }} as percent,
    counted.basis,
    {{ number('case when counted.is_counted then least(counted.percent, 150) * counted.most / 100 end') }} as counted_points,
    {{ number('case when counted.is_counted then counted.most end') }} as max_points,
    counted.is_in_class,
    counted.is_exempt,
    counted.is_counted,
    counted.is_provisional and counted.is_in_class and not counted.is_exempt as is_provisional,
    counted.is_missing and not counted.is_exempt as is_missing,
    counted.is_late
from counted
left join {{ ref('dim_class') }} as classes on counted.class_id = classes.class_id
left join {{ ref('line_item_term') }} as terms on counted.line_item_id = terms.line_item_id
