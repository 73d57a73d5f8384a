-- The right side of a value is a percent or a span of percents, whose middle is taken. A scale whose highest number is not in
-- 50 to 100 is none of percents, and is not guessed at.
with pairs as (
    {{ each_object(ref('stg_oneroster__score_scales'), ['scale_id'], 'scale_values', ['itemValueLHS', 'itemValueRHS']) }}
),

texts as (
    select
        scale_id,
        upper(trim({{ adapter.quote('itemValueLHS') }})) as word,
        replace(replace(replace({{ adapter.quote('itemValueRHS') }}, '%', ''), ' ', ''), '–', '-') as span
    from pairs
    where {{ adapter.quote('itemValueLHS') }} is not null
),

numbers as (
    select
        scale_id,
        word,
        {{ read_text('number', "split_part(span, '-', 1)") }} as low,
        {{ read_text('number', "case when span like '%-%' then split_part(span, '-', 2) else span end") }} as high
    from texts
),

scales as (
    select scale_id
    from numbers
    group by scale_id
    having max(greatest(low, high)) between 50 and 100 and min(least(low, high)) >= 0
)

select
    numbers.scale_id,
    numbers.word,
    max({{ read_text('number', 'numbers.word') }}) as word_number,
    {{ number('max((numbers.low + numbers.high) / 2)') }} as percent
from numbers
inner join scales on numbers.scale_id = scales.scale_id
where numbers.low is not null and numbers.high is not null
group by numbers.scale_id, numbers.word
