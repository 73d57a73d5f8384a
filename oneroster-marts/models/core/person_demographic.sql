-- The federal rollup of races: Hispanic first, then two or more, then the one. All false, or nothing, is not stated. Of a person's
-- rows a mark in any counts.
with marks as (
    select
        persons.person_id,
        min(
            case
                when words.sex is not null then words.sex
                when trim(coalesce(demographics.sex, '')) <> '' then 'other'
                else 'not stated'
            end
        ) as low_sex,
        max(
            case
                when words.sex is not null then words.sex
                when trim(coalesce(demographics.sex, '')) <> '' then 'other'
                else 'not stated'
            end
        ) as high_sex,
        max(case when demographics.is_hispanic then 1 else 0 end) as hispanic,
        max(case when demographics.is_two_or_more then 1 else 0 end) as two_or_more,
        max(case when demographics.is_american_indian then 1 else 0 end) as american_indian,
        max(case when demographics.is_asian then 1 else 0 end) as asian,
        max(case when demographics.is_black then 1 else 0 end) as black,
        max(case when demographics.is_pacific_islander then 1 else 0 end) as pacific_islander,
        max(case when demographics.is_white then 1 else 0 end) as white
    from {{ ref('dim_person') }} as persons
    left join {{ ref('stg_oneroster__demographics') }} as demographics on persons.user_id = demographics.user_id
    left join {{ ref('sex_words') }} as words on upper(trim(demographics.sex)) = words.word
    where persons.role_kind = 'student'
    group by persons.person_id
)

select
    person_id,
    'all' as demographic,
    'all' as value
from marks
union all
select
    person_id,
    'sex' as demographic,
    case
        when low_sex = high_sex or high_sex = 'not stated' then low_sex
        when low_sex = 'not stated' then high_sex
        else 'not stated'
    end as value
from marks
union all
select
    person_id,
    'race_ethnicity' as demographic,
    case
        when hispanic = 1 then 'hispanic'
        when two_or_more = 1 or american_indian + asian + black + pacific_islander + white > 1 then 'two_or_more'
        when american_indian = 1 then 'american_indian'
        when asian = 1 then 'asian'
        when black = 1 then 'black'
        when pacific_islander = 1 then 'pacific_islander'
        when white = 1 then 'white'
        else 'not stated'
    end as value
from marks
