-- What is hidden in one group has to be hidden in another, or could be told by it: in groups of the same sizes; in all courses of
-- a grade what is hidden in the whole grade; of two groups that make up a third, in each what is hidden in the other or in the third, and
-- in the third a value that only one of the two has.
with groups as (
    select distinct
        school_id,
        grade,
        demographic,
        sizes,
        students
    from {{ ref('demographic_group') }}
),

cells as (
    select distinct
        groups.school_id,
        groups.grade,
        groups.demographic,
        groups.sizes,
        cells.value,
        cells.students
    from {{ ref('demographic_cell') }} as cells
    inner join {{ ref('demographic_group') }} as groups
        on
            cells.mart = groups.mart
            and cells.school_id = groups.school_id
            and cells.grade = groups.grade
            and cells.course_id = groups.course_id
            and cells.term_id = groups.term_id
            and cells.demographic = groups.demographic
),

pairs as (
    select
        one.school_id,
        one.grade,
        one.demographic,
        one.sizes as one,
        other.sizes as other,
        whole.sizes as whole
    from groups as one
    inner join groups as other
        on
            one.school_id = other.school_id
            and one.grade = other.grade
            and one.demographic = other.demographic
            and one.sizes <= other.sizes
    inner join groups as whole
        on
            one.school_id = whole.school_id
            and one.grade = whole.grade
            and one.demographic = whole.demographic
            and one.students + other.students = whole.students
),

parts as (
    select
        pairs.school_id,
        pairs.grade,
        pairs.demographic,
        pairs.one,
        pairs.other,
        pairs.whole
    from pairs
    inner join cells as of_whole
        on
            pairs.school_id = of_whole.school_id
            and pairs.grade = of_whole.grade
            and pairs.demographic = of_whole.demographic
            and pairs.whole = of_whole.sizes
    left join cells as of_one
        on
            pairs.school_id = of_one.school_id
            and pairs.grade = of_one.grade
            and pairs.demographic = of_one.demographic
            and pairs.one = of_one.sizes
            and of_whole.value = of_one.value
    left join cells as of_other
        on
            pairs.school_id = of_other.school_id
            and pairs.grade = of_other.grade
            and pairs.demographic = of_other.demographic
            and pairs.other = of_other.sizes
            and of_whole.value = of_other.value
    group by pairs.school_id, pairs.grade, pairs.demographic, pairs.one, pairs.other, pairs.whole
    having min(case when of_whole.students = coalesce(of_one.students, 0) + coalesce(of_other.students, 0) then 1 else 0 end) = 1
),

alone as (
    select
        parts.school_id,
        parts.grade,
        parts.demographic,
        parts.one as part,
        parts.whole,
        of_whole.value
    from (
        select school_id, grade, demographic, one, whole from parts
        union
        select school_id, grade, demographic, other as one, whole from parts
    ) as parts
    inner join cells as of_whole
        on
            parts.school_id = of_whole.school_id
            and parts.grade = of_whole.grade
            and parts.demographic = of_whole.demographic
            and parts.whole = of_whole.sizes
    inner join cells as of_part
        on
            parts.school_id = of_part.school_id
            and parts.grade = of_part.grade
            and parts.demographic = of_part.demographic
            and parts.one = of_part.sizes
            and of_whole.value = of_part.value
            and of_whole.students = of_part.students
),

grades as (
    select
        school_id,
        grade,
        demographic,
        sizes
    from {{ ref('demographic_group') }}
    where mart = 'demographic_results'
)

select
    school_id,
    grade,
    demographic,
    sizes as from_sizes,
    sizes as to_sizes,
    cast(null as {{ type_of('text') }}) as only_value
from groups
union
select
    groups.school_id,
    groups.grade,
    groups.demographic,
    grades.sizes as from_sizes,
    groups.sizes as to_sizes,
    cast(null as {{ type_of('text') }}) as only_value
from groups
inner join grades
    on
        groups.school_id = grades.school_id
        and groups.grade = grades.grade
        and groups.demographic = grades.demographic
{%- for start, end in [('one', 'other'), ('other', 'one'), ('whole', 'one'), ('whole', 'other')] %}
union
select
    school_id,
    grade,
    demographic,
    {{ start }} as from_sizes,
    {{ end }} as to_sizes,
    cast(null as {{ type_of('text') }}) as only_value
from parts
{%- endfor %}
union
select
    school_id,
    grade,
    demographic,
    part as from_sizes,
    whole as to_sizes,
    value as only_value
from alone
