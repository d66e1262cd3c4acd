"""Words that prompts are full of: none of them can call a person."""

COMMON_WORDS = frozenset(
    """
able about above actor actress adult after again age air all along also always and animal another
any apartment apple april arm art artist asian attractive august autumn baby back background bag
ball bar beach bear beard beautiful bed before behind below bench best between big bike bird black
blonde blue boat body book born both bottle boy bride bright brother brown building bus business
but cafe cake camera can candid car card care cartoon castle cat celebrity chair character child
children church cinematic city class clean close closeup clothes cloud coat coffee cold color
colour come computer cool could country couple creator cute dance dark daughter day deep desk
detail detailed doctor dog door down draw drawing dream dress drink drive each early east eat
elegant end evening every eye eyes face fall family famous fan fantasy far fashion fast father
favorite favourite female field figure film find fire first fish fit five floor flower fly food
foot for forest four free fresh friend from front full fun game garden girl glass glasses gold
good grandfather grandmother gray great green grey ground group grow guy hair half hand hands
happy hard hat have head headshot heart hello her here hero high hill him his hold home horse hot
hotel hour house how human ice image indoors into island jacket job jump just kid kind king
kitchen knight know lady lake lamp land large last late laugh leaf left leg light like line lips
little live long look love low magic make male man many march market may medium men middle mirror
model modern money month moon more morning most mother mountain mouth movie much music must name
nature near neck new news next nice night nine north nose not now nude number ocean off office old
one only open orange other our out outdoors outside over own page paint painting pants paper
parent park part party people person phone photo photograph photographer photography
photorealistic picture pink place plane plant play player please poor pop portrait pose pretty
prince princess private prompt public purple queen quick quiet quite rain read real realistic red
rest restaurant rich right river road rock room round run sad same school sea season seat second
see selfie seven sexy shadow she ship shirt shoe shop short should shoulder side silver simple
sing singer sister sit six skin sky sleep slow small smile smiling snow soft some son song soon
south space sport spring stand standing star stone store street strong studio style subject suit
summer sun sunset sweet swim table take talk tall teacher team ten than that the their them then
there they thing think this three time tiny today together tok token top town toy train travel
tree trigger trousers true two under uniform until upon usa use van vase very video view village
vintage voice walk wall want warm warrior watch water wear wedding week well west what wheel when
where white who wide wife wild will wind window wine winter with wizard woman women wonderful wood
word work world worn year yellow yes yesterday you young your youth zero zoo
    """.split()  # noqa: SIM905 - one word a line would be a long page
)
